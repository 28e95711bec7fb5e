"""A bar on standard error for work that lasts, and a Ctrl-C that it obeys in time."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.progress import Progress

_AFTER_S = 2.0

Step = Callable[[int, int], None]
"""Told how much is done, of how much in all."""


@contextmanager
def progress(
    what: str, unit: Literal["bytes", "rows"], after_s: float = _AFTER_S
) -> Iterator[Step]:
    """A bar with its total: only on a terminal, and only for what takes long.

    Args:
        what: what is being done, before the bar.
        unit: what is counted.
        after_s: nothing is shown before.

    Yields:
        Where the work says how far it is. It raises KeyboardInterrupt after Ctrl-C, so
        that no step is left half done; a second Ctrl-C does not wait for that.
    """
    bar = _bar(unit)
    task = bar.add_task(what, total=None)
    began_s = time.monotonic()
    with _interrupts() as interrupted:

        def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if bar.console.is_terminal and time.monotonic() - began_s >= after_s:
                bar.start()  # which does nothing the second time
            if interrupted.is_set():
                raise KeyboardInterrupt

        try:
            yield step
        finally:
            if bar.live.is_started:  # stopping prints a line where there is no terminal
                bar.stop()


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Set by the first SIGINT. In the middle of a call, polars would panic at one."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # where signals do not arrive
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _bar(unit: Literal["bytes", "rows"]) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    counted = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted)
    console = Console(stderr=True)
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True)

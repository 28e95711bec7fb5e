"""A sign that work goes on, for who waits: in a cell, or on a terminal.

It comes when something takes longer than a moment, and goes when it is done. Nothing of
it is in what is piped or written, and one that is inside another says nothing.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console

AFTER_S = 2.0
_EVERY_S = 1.0
_WAITING: ContextVar[bool] = ContextVar("waiting", default=False)

Step = Callable[[int, int], None]
"""Told how much is done, of how much in all."""


class Sign(NamedTuple):
    """Where the words are shown."""

    show: Callable[[str], None]  # the first time, and again with others
    end: Callable[[], None]


@contextmanager
def waiting(
    what: str, after_s: float = AFTER_S, console: "Console | None" = None
) -> Iterator[Step]:
    """Say what is being done where it lasts, and for how long it has.

    Args:
        what: what is being done; a few words.
        after_s: nothing is shown before.
        console: of the terminal; standard error unless given.

    Yields:
        Where the work may say how far it is.

    >>> with waiting("Reading the log") as step:  # not on a terminal: nothing is shown
    ...     step(1, 2)
    """
    sign = None if _WAITING.get() else _cell() or _terminal(console)
    if sign is None:
        yield lambda done, total: None
        return
    how_far: list[str] = [""]
    over = threading.Event()
    # A copy, for a cell's output belongs to the request that the context knows.
    shown = threading.Thread(
        target=copy_context().run,
        args=(_show, sign, what, how_far, over, after_s),
        daemon=True,
    )
    shown.start()
    inside = _WAITING.set(True)

    def step(done: int, total: int) -> None:
        how_far[0] = f": {done:,} of {total:,}"

    try:
        yield step
    finally:
        _WAITING.reset(inside)
        over.set()
        shown.join()


def _show(
    sign: Sign, what: str, how_far: list[str], over: threading.Event, after_s: float
) -> None:
    began_s = time.monotonic()
    if over.wait(after_s):
        return
    try:
        while True:
            passed_s = time.monotonic() - began_s
            sign.show(f"{what}{how_far[0]} … {passed_s:.0f} s")
            if over.wait(_EVERY_S):
                return
    finally:
        sign.end()


def _cell() -> Sign | None:
    """An output of its own, empty in the end; None outside a kernel."""
    ipython = sys.modules.get("IPython")
    get = getattr(ipython, "get_ipython", None)
    if get is None or not hasattr(get(), "kernel"):
        return None
    from IPython.display import display

    output: list[Any] = []

    def put(text: str, html: str) -> None:
        both = {"text/plain": text, "text/html": html}
        if output:
            output[0].update(both, raw=True)
        else:
            output.append(display(both, raw=True, display_id=True))

    return Sign(
        lambda text: put(text, f"<p><i>{escape(text)}</i></p>"), lambda: put("", "")
    )


def _terminal(console: "Console | None") -> Sign | None:
    """A line of standard error that is wiped in the end; None where nobody looks."""
    if console is None:
        if not getattr(sys.stderr, "isatty", bool)():
            return None
        from rich.console import Console

        console = Console(stderr=True)
    if not console.is_terminal:
        return None
    status = console.status("")

    def show(text: str) -> None:
        status.update(text)
        status.start()  # which does nothing the second time

    return Sign(show, status.stop)

"""A sign that work goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def busy(console: "Console", after_s: float = 2) -> Iterator[None]:
    """A sign that work goes on, on a terminal, where it takes longer than a moment."""
    if not console.is_terminal:
        yield
        return
    sign = console.status("Reading the log")
    timer = Timer(after_s, sign.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        sign.stop()

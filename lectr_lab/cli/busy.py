"""A sign that work goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lectr_lab.waiting import waiting

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def busy(console: "Console", after_s: float = 2) -> Iterator[None]:
    """A sign that work goes on, on a terminal, where it takes longer than a moment."""
    with waiting("Reading the log", after_s, console):
        yield

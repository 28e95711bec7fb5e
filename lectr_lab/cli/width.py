"""How wide the output is."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_LETTERS = 140


def wide_console() -> "Console":
    """Standard output, wide enough for a table where no terminal bounds it."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPED_LETTERS)

"""How wide the output is, and which columns of a report it has room for."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

LEAST_KEY = 14
"""Letters of a name's column, below which nobody reads a name."""

_FIRST_TO_GO = ("unpriced", "share", "p50", "errors", "p95")
_PIPED_LETTERS = 140
_RULES = 3  # letters between two columns


def wide_console() -> "Console":
    """Standard output, wide enough for a table where no terminal bounds it."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPED_LETTERS)


def fitting(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> list[int]:
    """The places of the columns that fit, without the least telling of the others.

    Names, which come first, may be folded; figures may not.

    >>> heads = ["feature", "requests", "spend", "share", "errors"]
    >>> fitting(heads, [["support-chat-of-old", "1", "$1", "2 %", "3 %"]], 40)
    [0, 1, 2]
    """
    longest = [max(map(len, texts)) for texts in zip(heads, *rows, strict=True)]
    names = heads.index("requests")
    need = [min(n, LEAST_KEY) if i < names else n for i, n in enumerate(longest)]
    shown = list(range(len(heads)))
    for head in _FIRST_TO_GO:
        if sum(need[i] + _RULES for i in shown) < width:
            break
        shown = [i for i in shown if i < names or heads[i] != head]
    return shown

"""Sentences for a terminal: their lines end where a reader would end them."""

import re
from collections.abc import Iterator

from rich.cells import cell_len

# What stands before a unit, or after a sign, belongs to it.
_JOINED = re.compile(
    r"(?:[<≈≤≥] )?\S*\d\]? (?:%|ms|s|min|h|d|kB|MB|GB|USD)(?![^\W_])\S*|[<≈≤≥] \S+|\S+"
)
_BEGINS = re.compile(r"\s*(?:[-*→•] )?")


def folded(text: str, width: int | None) -> str:
    """Lines no wider than a terminal, parted between words alone: a figure keeps its
    unit, and what is longer than a line, such as an address, stays whole. A line that
    begins with blanks or a dash goes on below its first word.

    Args:
        text: sentences, or a table that fits.
        width: in cells; None: as it is.

    >>> print(folded("- 16,222 requests cost 79.68 USD; 2.6 % failed", 30))
    - 16,222 requests cost
      79.68 USD; 2.6 % failed
    """
    if width is None:
        return text
    return "\n".join(
        line for whole in text.split("\n") for line in _lines(whole, width)
    )


def _lines(whole: str, width: int) -> Iterator[str]:
    if cell_len(whole.rstrip()) <= width:
        yield whole.rstrip()
        return
    begins = _BEGINS.match(whole)
    line = begins[0] if begins else ""
    indent, empty = " " * cell_len(line), True
    for word in _JOINED.findall(whole[len(line) :]):
        more = word if empty else f" {word}"
        if not empty and cell_len(line + more) > width:
            yield line
            line, more = indent, word
        line, empty = line + more, False
    yield line.rstrip()

"""A frame as a table of Markdown."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_LIVELY = "\\`*_{}[]<>#|~!"  # what means something in Markdown


def markdown_table(frame: "pl.DataFrame") -> str:
    """A line per row, figures flush right, as people read them.

    >>> import polars as pl
    >>> print(markdown_table(pl.DataFrame({"feature": ["a|b"], "spend_usd": [2.5]})))
    | feature | spend |
    | :-- | --: |
    | a\\|b | $2.50 |
    """
    from lectr_lab.tables.columns import written

    columns = written(frame)
    lines = [[column.heading for column in columns]]
    lines.append(["--:" if column.right else ":--" for column in columns])
    rows = zip(*(column.texts for column in columns), strict=True)
    lines += [[plain(text) for text in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Text that means nothing else in Markdown."""
    return "".join(f"\\{c}" if c in _LIVELY else c for c in text)

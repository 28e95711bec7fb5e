"""A frame as plain text, for terminals and log files."""

import polars as pl
from rich.cells import cell_len

from lectr_lab.tables.columns import MOST_ROWS, Column, written

_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_CELLS = 24


def text_table(frame: pl.DataFrame) -> str:
    """A finished frame as lines of text, figures flush right.

    No control character of a client's string is in it.

    >>> print(text_table(pl.DataFrame({"feature": ["chat", None], "spend_usd": [2.5, 1]})))
    feature   spend
    chat      $2.50
    untagged  $1.00
    """
    columns = written(frame.head(MOST_ROWS))
    cells = [[c.heading, *_texts(c)] for c in columns]
    widths = [max(map(cell_len, texts)) for texts in cells]
    lines = [
        "  ".join(
            _padded(texts[i], width, column.right)
            for texts, width, column in zip(cells, widths, columns, strict=True)
        ).rstrip()
        for i in range(min(frame.height, MOST_ROWS) + 1)
    ]
    if columns and frame.is_empty():
        lines.append("No rows.")
    if frame.height > MOST_ROWS:
        lines.append(f"… and {frame.height - MOST_ROWS:,} more")
    return "\n".join(lines)


def _texts(column: Column) -> list[str]:
    return column.texts if column.lines is None else list(map(_blocks, column.lines))


def _padded(text: str, width: int, right: bool) -> str:
    """To a width in terminal cells: some signs take two."""
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _blocks(values: list[float | None]) -> str:
    """The last values as blocks, the largest the highest."""
    last = values[-_SPARK_CELLS:]
    top = max((v for v in last if v is not None), default=0.0) or 1.0
    return "".join(
        " " if v is None else _BLOCKS[min(int(max(v, 0.0) / top * 8), 7)] for v in last
    )

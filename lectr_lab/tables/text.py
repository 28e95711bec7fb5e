"""A frame as plain text, for terminals and log files."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import polars as pl
from rich.cells import cell_len, chop_cells

from lectr_lab.others import with_others
from lectr_lab.tables.columns import MOST_ROWS, Column, written

_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_CELLS = 24
_BETWEEN = "  "
_LEAST_CELLS = 20  # a text that is longer goes on in the next line where it is narrow
_WORD_CELLS = 40  # and a word, for which other columns go
# Where a line may end: after a blank, or inside a name after one of its marks, but not
# inside a date or a version; a figure only before its interval.
_IN_WORDS = re.compile(r"\S*?(?:\s+|[-_/:](?=[^\W\d])|$)")
_IN_FIGURES = re.compile(r".+?(?: (?=\[)|$)")


def text_table(
    frame: pl.DataFrame,
    *,
    width: int | None = None,
    most_rows: int = MOST_ROWS,
    first_to_go: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> str:
    """A finished frame as lines of text, figures flush right.

    No control character of a client's string is in it.

    Args:
        frame: one row per line; column names say the units, as for `html_table`.
        width: how many letters a line may have; None: as many as it takes.
        most_rows: of a longer frame, so many rows, and all others in one where it is a
            view of groups; else how many more there are.
        first_to_go: columns to leave out where it is too narrow, one after another.
        only: the columns to show; None: all. Ends of intervals go with their middle.

    >>> print(text_table(pl.DataFrame({"feature": ["chat", None], "spend_usd": [2.5, 1]})))
    feature   spend
    chat      $2.50
    untagged  $1.00
    """
    shown = with_others(frame, most_rows)
    cut = shown.height == most_rows < frame.height  # and no row is of the others
    columns = [c for c in written(shown) if only is None or c.name in only]
    for name in first_to_go:
        if width is None or _fits(columns, width):
            break
        columns = [column for column in columns if column.name != name]
    gone: list[str] = []
    while width is not None and len(columns) > 2 and not _fits(columns, width):
        gone.insert(0, columns.pop().heading)
    lines = [aligned(columns, width)]
    if gone:
        said = f"No room here for: {', '.join(gone)}."
        lines += _folded(said, width or len(said), False)
    if columns and frame.is_empty():
        lines.append("No rows.")
    if cut:
        lines.append(f"… and {frame.height - most_rows:,} more")
    return "\n".join(lines)


def aligned(columns: Sequence[Column], width: int | None = None) -> str:
    """Columns side by side below their headings; where it is too narrow for them,
    headings take several lines first, then names.

    >>> print(aligned([Column("to model", ["gpt-4o"], False)], 6))
    to
    model
    gpt-4o
    """
    widths = _widths(columns, width)
    rights = [column.right for column in columns]
    heads = map(_folded, [c.heading for c in columns], widths, [False] * len(columns))
    rows = zip(*map(_texts, columns), strict=True)
    folded = [list(heads), *(list(map(_folded, row, widths, rights)) for row in rows)]
    return "\n".join(
        _BETWEEN.join(map(_padded, line, widths, rights)).rstrip()
        for cells in folded
        for line in zip_longest(*cells, fillvalue="")
    )


def _widths(columns: Sequence[Column], width: int | None) -> list[int]:
    """As wide as their texts, or narrower where they have to be, the widest first."""
    widths = [max(map(cell_len, [c.heading, *_texts(c)])) for c in columns]
    if width is None:
        return widths
    for least in (
        _least(columns, sum(widths)),
        _least(columns, 0),
        _least(columns, 0, _LEAST_CELLS),
    ):
        while _across(widths) > width:
            wide = [i for i, cells in enumerate(widths) if cells > least[i]]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _fits(columns: Sequence[Column], width: int) -> bool:
    """No word has to be parted in so many cells, unless it is endless."""
    return _across(_least(columns, _LEAST_CELLS)) <= width


def _across(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _least(columns: Sequence[Column], whole: int, word: int = _WORD_CELLS) -> list[int]:
    """How narrow the columns can be with texts of so many cells, or fewer, in one piece,
    and words as well."""
    return [max(_needs(column, whole, word)) for column in columns]


def _needs(column: Column, whole: int, word: int) -> Iterator[int]:
    yield from (cell_len(piece.rstrip()) for piece in _pieces(column.heading, False))
    figure = column.right or column.lines is not None
    for text in _texts(column):
        yield min(cell_len(text), whole)
        cells = (cell_len(piece.rstrip()) for piece in _pieces(text, figure))
        yield from cells if figure else (min(n, word) for n in cells)


def _pieces(text: str, figure: bool) -> list[str]:
    return (_IN_FIGURES if figure else _IN_WORDS).findall(text)


def _folded(text: str, width: int, figure: bool) -> list[str]:
    """A text on lines of a width, parted where a reader would."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for piece in _pieces(text, figure):
        word = piece.rstrip()
        if cell_len(lines[-1] + word) > width:
            lines += chop_cells(word, width)
            lines[-1] += piece[len(word) :]
        else:
            lines[-1] += piece
    return [line.rstrip() for line in lines if line.strip()]


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

"""What a table in a cell carries beside its text: exact values, packed.

Sorting, copying and the CSV go by these. Rows beyond `most_rows` stay in the log.
"""

import base64
import gzip
import json
import math
from datetime import date, timedelta
from typing import Any

import polars as pl

from lectr_lab.core import formatting
from lectr_lab.tables.columns import Column

MOST_ROWS = 10_000
_MOST_CELLS = 150_000  # some 500 kB when packed
_MOST_EXACT = 2**53  # of whole numbers in a browser


def most_rows(frame: pl.DataFrame) -> int:
    """So many rows of a frame travel with its table.

    >>> most_rows(pl.DataFrame({"a": []})), most_rows(pl.DataFrame({f"{i}": [] for i in range(60)}))
    (10000, 2500)
    """
    return min(MOST_ROWS, _MOST_CELLS // max(frame.width, 1))


def packed(
    frame: pl.DataFrame,
    shown: list[Column],
    *,
    name: str,
    drawn: dict[str, list[str]],
    others: bool,
) -> str:
    """A frame's values and its shown texts as base64 of gzip of JSON, for `table.js`.

    Args:
        frame: every column, in the order of the CSV.
        shown: the columns of the table, each of one of the frame's.
        name: of the file that is downloaded.
        drawn: of columns that are drawn, the pictures, by the column's name.
        others: the last row is of all other groups.
    """
    values = {column: _values(frame[column]) for column in frame.columns}
    at = {column: i for i, column in enumerate(frame.columns)}
    data = {
        "name": name,
        "others": others,
        "columns": [{"name": n, "values": v} for n, v in values.items()],
        "shown": [
            {
                "of": at[column.name],
                "heading": column.heading,
                "kind": "n" if column.right else "w" if column.whole else "",
                "share": column.shares is not None,
                "texts": None if column.texts == values[column.name] else column.texts,
                "lines": drawn.get(column.name),
            }
            for column in shown
        ],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    raw = text.encode("utf-8", "surrogatepass")
    return base64.b64encode(gzip.compress(raw, mtime=0)).decode()


def _values(series: pl.Series) -> list[Any]:
    return [_plain(value) for value in series.to_list()]


def _plain(value: Any) -> Any:
    """A value as JSON has it, and as a person may read it in a spreadsheet."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _MOST_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, list):
        return "; ".join("" if one is None else str(_plain(one)) for one in value)
    return formatting.visible(str(value))

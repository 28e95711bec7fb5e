"""The log's schema for readers: polars types, file metadata, a table for the docs.

Names, units and meanings come from `core/event.py`; here they only change form.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import polars as pl

from lectr_lab.core.column import ColumnSpec, Null
from lectr_lab.core.event import SCHEMA_VERSION, Event, columns

METADATA_KEY = "lectr_lab"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TYPES: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    bytes: pl.Binary(),
    datetime: pl.Datetime("us", "UTC"),
}


_NULL: dict[Null, str] = {"never": "no", "imported": "imported rows", "any": "yes"}


def polars_schema() -> pl.Schema:
    """Every column of the log with its polars type.

    >>> polars_schema()["started_at"]
    Datetime(time_unit='us', time_zone='UTC')
    """
    return pl.Schema({c.name: _TYPES[c.python_type] for c in columns()})


def frame(events: Sequence[Event]) -> pl.DataFrame:
    """Events as rows, in their order, with the columns of `polars_schema`.

    A value that does not fit its column's type is null: one odd value costs no row.
    """
    return pl.DataFrame([_column(spec, events) for spec in columns()])


def file_metadata() -> dict[str, str]:
    """What a Parquet part says of itself: the schema's version and its columns, as JSON.

    >>> list(file_metadata())
    ['lectr_lab']
    """
    about = {
        spec.name: {
            "unit": spec.unit,
            "meaning": spec.meaning,
            "otel": spec.otel,
            "null": spec.null,
        }
        for spec in columns()
    }
    document = {"schema_version": SCHEMA_VERSION, "columns": about}
    return {METADATA_KEY: json.dumps(document, separators=(",", ":"))}


def columns_markdown() -> str:
    """The columns as a document: `python -m lectr_lab.log.schema > data/log_columns.md`.

    >>> print(columns_markdown().splitlines()[0])
    # The columns of the log
    """
    head = "| column | type | unit | null | meaning | OpenTelemetry |"
    rows = [
        f"| `{c.name}` | {_TYPES[c.python_type]} | {c.unit} "
        f"| {_NULL[c.null]} | {c.meaning} | `{c.otel}` |"
        for c in columns()
    ]
    return "\n".join([_INTRODUCTION, head, "|---|---|---|---|---|---|", *rows, ""])


_INTRODUCTION = f"""\
# The columns of the log

Schema version {SCHEMA_VERSION}. Written by `python -m lectr_lab.log.schema`; the names,
units and meanings are those of `lectr_lab/core/event.py`, and each Parquet file carries
them under `{METADATA_KEY}` in its metadata.

Null is what nobody said; it is never written as 0. "imported rows": the proxy always
fills the column, an import only where its source says it. Rows written before a column
existed have null there.
"""


def _column(spec: ColumnSpec, events: Sequence[Event]) -> pl.Series:
    dtype = _TYPES[spec.python_type]
    values: list[Any] = list(map(attrgetter(spec.name), events))
    if spec.python_type is datetime:
        # Four times as fast as handing datetimes over.
        micros = [_microseconds(value) for value in values]
        return pl.Series(spec.name, micros, pl.Int64).cast(dtype)
    try:
        return pl.Series(spec.name, values, dtype)
    except (TypeError, OverflowError):
        return pl.Series(spec.name, values, dtype, strict=False)


def _microseconds(at: datetime) -> int | None:
    try:
        return (at - _EPOCH) // _MICROSECOND
    except TypeError:
        return None


if __name__ == "__main__":
    sys.stdout.write(columns_markdown())

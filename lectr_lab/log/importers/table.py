"""Any CSV or Parquet file, with a map from the log's columns to its own.

Only mapped columns are read. An entry is a column's name, a name with a factor for
another unit (`latency_s*1000`), or a constant (`=openai`).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import columns
from lectr_lab.log.importers.fields import Imported, Rows, number
from lectr_lab.log.importers.source import opened

_NAME = re.compile(r"[A-Za-z_][\w .:/()$%#-]{0,63}")
_MANY = 30  # names at a time
_OURS = ("event_id", "org", "kind", "shadow_of")


class _Entry(NamedTuple):
    """Where a column's values come from: a name times a factor, or a constant."""

    name: str | None
    factor: float | None
    constant: str | None


def table_rows(
    source: Path, mapping: Mapping[str, str], epoch: datetime | None = None
) -> Rows:
    """The rows of a table.

    Args:
        source: `.parquet`, else CSV with a header.
        mapping: column of the log → entry, as above; `started_at` must be in it.
        epoch: numbers in `started_at` are seconds since then, not since 1970.

    Raises:
        LogError: an entry names a column that is not there, or the file is no table.
    """
    entries = {column: _entry(column, text) for column, text in mapping.items()}
    if "started_at" not in entries:
        raise LogError(
            "A table needs a column for started_at: started_at=<its column>."
        )
    names = sorted({e.name for e in entries.values() if e.name is not None})
    table = _table(source, names)
    return Rows(table.height, _imported(table, entries, epoch))


def _imported(
    table: pl.DataFrame, entries: Mapping[str, _Entry], epoch: datetime | None
) -> Iterator[Imported]:
    seen: Counter[str] = Counter()
    for row in table.iter_rows(named=True):
        facts = {column: _value(row, entry) for column, entry in entries.items()}
        if epoch is not None:
            facts["started_at"] = _since(epoch, facts["started_at"])
        digest = hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()
        seen[digest] += 1  # equal rows are as many events, each time alike
        yield Imported(f"{digest} {seen[digest]}", facts)


def _entry(column: str, text: str) -> _Entry:
    known = [c.name for c in columns() if c.name not in _OURS]
    if column not in known:
        near = ", ".join(get_close_matches(column, known)) or ", ".join(known)
        raise LogError(f"The log has no column {column!r} to import; near: {near}.")
    if text.startswith("="):
        return _Entry(None, None, text[1:])
    name, _, factor = text.rpartition("*")
    try:
        return _Entry(name, float(factor), None) if name else _Entry(text, None, None)
    except ValueError:
        return _Entry(text, None, None)


def _table(source: Path, names: list[str]) -> pl.DataFrame:
    if source.is_dir():
        raise LogError(f"{source} is a folder. Name one file in it.")
    is_parquet = source.suffix.lower() == ".parquet"
    read: Any = (
        pl.read_parquet if is_parquet else partial(pl.read_csv, infer_schema=False)
    )
    try:
        with opened(source) as file:
            has = read(file, n_rows=0).columns
            for name in names:
                if name not in has:
                    found = _shown(name, has)
                    raise LogError(f"{source} has no column {name!r}; {found}.")
            file.seek(0)
            return read(file, columns=names)
    except pl.exceptions.NoDataError:
        raise LogError(f"{source} is empty.") from None
    except pl.exceptions.PolarsError:
        raise LogError(
            f"{source} is neither Parquet nor CSV that can be read."
        ) from None


def _shown(name: str, has: list[str]) -> str:
    """What columns there are. Where a header is missing, they are content: not shown."""
    names = [other for other in has if _NAME.fullmatch(other)]
    if len(names) < len(has):
        return "its first line does not look like the names of columns"
    near = get_close_matches(name, names, cutoff=0.5) or names[:_MANY]
    rest = " …" if len(near) == _MANY < len(names) else ""
    return f"it has: {', '.join(near)}{rest}"


def _value(row: Mapping[str, Any], entry: _Entry) -> Any:
    if entry.name is None:
        return entry.constant
    value = row[entry.name]
    if entry.factor is None or value is None:
        return value
    found = number(value)
    return None if found is None else round(found * entry.factor, 6)


def _since(epoch: datetime, value: Any) -> datetime | None:
    seconds = number(value)
    return None if seconds is None else epoch + timedelta(seconds=seconds)

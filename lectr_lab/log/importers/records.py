"""Records of flat files, some columns of each: CSV with any separator, Parquet, JSON.

Only the columns that are asked for are read. Of JSON, `usage.input` names a field
within another; Parquet's structs likewise.
"""

import ast
import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.log.importers.source import Values, json_values, opened

_NAME = re.compile(r"[A-Za-z_][\w .:/()$%#-]{0,63}")
_MANY = 30  # names at a time
_AT_ONCE = 10_000  # rows
_SEPARATORS = ",;\t|"
_HEAD_BYTES = 1 << 16
_MOST_LITERAL = 1 << 20  # characters
_SEEN = 100  # rows of JSON whose fields are taken for all there are

Record = dict[str, Any]


class Records(NamedTuple):
    """A file's columns, about how many records it has (0: not known), and a way to them.

    `read` takes the columns that are wanted; a record lacks what it does not say. None
    is a line that is no record.
    """

    columns: Sequence[str]
    total: int
    read: Callable[[Collection[str]], Iterator[Record | None]]


def records_of(source: Path) -> Records:
    """A file's records, by what it is: `.parquet`, JSON by how it begins, else CSV.

    Raises:
        LogError: it is a folder, is empty, or cannot be read as any of them.
        OSError: there is no such file, or it cannot be read.
    """
    if source.is_dir():
        raise LogError(f"{source} is a folder. Name one file in it.")
    if source.suffix.lower() == ".parquet":
        return _parquet(source)
    with opened(source) as file:
        head = file.read(_HEAD_BYTES)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise LogError(f"{source} is empty.")
    if text[:1] == b"{" or (text[:1] == b"[" and text[1:].lstrip()[:1] in b"{]"):
        return _json(source)
    return _csv(source, text)


def known_records(
    source: Path, wanted: Collection[str]
) -> tuple[int, Iterator[Record | None]]:
    """A file's records of a known shape: about how many, and each with what is wanted.

    Names are matched without regard to case and underscores: `startTime` is
    `start_time` in the next version of the same export.

    Args:
        source: as `records_of` takes it.
        wanted: the columns, by the names that the records are to have them under.
    """
    records = records_of(source)
    names = {plain(name): name for name in wanted}
    theirs = {n: names[plain(n)] for n in records.columns if plain(n) in names}
    return records.total, _renamed(records.read(theirs), theirs)


def _renamed(
    records: Iterator[Record | None], names: Mapping[str, str]
) -> Iterator[Record | None]:
    for record in records:
        if record is None:
            yield None
        else:
            yield {names[name]: value for name, value in record.items()}


def plain(name: str) -> str:
    """A name without what exports write in two ways.

    >>> plain("startTime") == plain("start_time") == plain("Start Time")
    True
    """
    return "".join(c for c in name.lower() if c.isalnum() or c == ".")


def as_object(value: Any) -> Any:
    """A field that holds an object or a list, also where CSV has it as text.

    None where the text is neither JSON nor Python's own form of it, as pandas writes.

    >>> as_object('{"a": 1}'), as_object("{'a': None}"), as_object("a: 1")
    ({'a': 1}, {'a': None}, None)
    """
    if not isinstance(value, str):
        return value
    found = loads(value.encode("utf-8", "replace"))
    if found is None and len(value) < _MOST_LITERAL:
        with contextlib.suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            found = ast.literal_eval(value)
    return found if isinstance(found, dict | list) else None


def within(record: Any, path: str) -> Any:
    """What an object has under `a.b`; None where it has not.

    >>> within({"a": {"b": 3}}, "a.b"), within({"a": 1}, "a.b")
    (3, None)
    """
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


class RowIds:
    """Ids of rows: the source's own, else a hash of the row and its place among equals.

    >>> ids = RowIds(lambda text: text[:4])
    >>> ids.of("call-1", {}), ids.of(None, {"a": 1}), ids.of(None, {"a": 1})
    ('call-1', "[('a 1", "[('a 2")
    """

    def __init__(self, hashed: Callable[[str], str]) -> None:
        self._hashed = hashed
        self._seen: Counter[str] = Counter()

    def of(self, own: Any, record: Mapping[str, Any]) -> str:
        """The id of the next row; `own` is the source's, where it has one."""
        if own is not None and (named := str(own).strip()):
            return named
        digest = self._hashed(repr(sorted(record.items(), key=lambda item: item[0])))
        self._seen[digest] += 1
        return f"{digest} {self._seen[digest]}"


def missing_column(source: Path, name: str, has: Sequence[str]) -> LogError:
    """That a file has no such column, and what it has.

    Where a header is missing, the names are content, and are not shown.
    """
    shown = [other for other in has if _NAME.fullmatch(other)]
    if len(shown) < len(has) * 0.9 or not shown:
        why = "its first line does not look like the names of columns"
    else:
        near = get_close_matches(name, shown, cutoff=0.5) or shown[:_MANY]
        rest = " …" if len(near) == _MANY < len(shown) else ""
        why = f"it has: {', '.join(near)}{rest}"
    return LogError(f"{source} has no column {name!r}; {why}.")


def _csv(source: Path, head: bytes) -> Records:
    line = head.splitlines()[0].decode("utf-8", "replace")
    separator = max(_SEPARATORS, key=lambda mark: _width(line, mark))
    columns = next(csv.reader(io.StringIO(line), delimiter=separator), [])

    def scan(file: IO[bytes]) -> pl.LazyFrame:
        return pl.scan_csv(
            file,
            separator=separator,
            infer_schema=False,
            encoding="utf8-lossy",
            truncate_ragged_lines=False,
        )

    def read(names: Collection[str]) -> Iterator[Record | None]:
        # A line with more fields than names is seen where the last one is read.
        wanted = {*names, columns[-1]}
        for record in _batches(source, wanted, scan, "CSV"):
            yield None if record is None else {name: record[name] for name in names}

    return Records(columns, 0, read)


def _width(line: str, separator: str) -> int:
    return len(next(csv.reader(io.StringIO(line), delimiter=separator), []))


def _parquet(source: Path) -> Records:
    try:
        with opened(source) as file:
            schema = pl.read_parquet_schema(file)
    except pl.exceptions.PolarsError:
        raise _unreadable(source) from None
    columns = [name for top, kind in schema.items() for name in _paths(top, kind)]

    def read(names: Collection[str]) -> Iterator[Record | None]:
        tops = {
            name.partition(".")[0] if name not in schema else name for name in names
        }
        for record in _batches(source, tops, pl.scan_parquet, "Parquet"):
            yield None if record is None else _picked(record, names)

    return Records(columns, 0, read)


def _paths(name: str, kind: Any) -> Iterator[str]:
    yield name
    if isinstance(kind, pl.Struct):
        for field in kind.fields:
            for path in _paths(field.name, field.dtype):
                yield f"{name}.{path}"


def _batches(
    source: Path,
    names: Collection[str],
    scan: Callable[[IO[bytes]], pl.LazyFrame],
    form: str,
) -> Iterator[Record | None]:
    try:
        with opened(source) as file:
            rows = scan(file).select(sorted(names))
            for batch in rows.collect_batches(chunk_size=_AT_ONCE):
                yield from batch.iter_rows(named=True)
    except pl.exceptions.NoDataError:
        raise LogError(f"{source} is empty.") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise _unreadable(source, form) from None


def _unreadable(source: Path, form: str = "") -> LogError:
    if form == "CSV":
        return LogError(
            f"{source} cannot be read as CSV: its lines have not the same number of "
            "fields, or it is another kind of file."
        )
    return LogError(f"{source} is neither Parquet nor CSV that can be read.")


def _json(source: Path) -> Records:
    columns: dict[str, None] = {}
    total, values = _some(source)
    for value, _ in zip(values, range(_SEEN), strict=False):
        if isinstance(value, dict):
            columns |= dict.fromkeys(_fields(value))
    if not columns:
        raise LogError(f"{source} holds no JSON objects.")

    def read(names: Collection[str]) -> Iterator[Record | None]:
        for value in _some(source).values:
            yield _picked(value, names) if isinstance(value, dict) else None

    return Records(list(columns), total, read)


def _some(source: Path) -> Values:
    return json_values(source)


def _fields(value: Mapping[str, Any]) -> Iterator[str]:
    for name, inner in value.items():
        yield name
        if isinstance(inner, dict):
            yield from (f"{name}.{path}" for path in _fields(inner))


def _picked(record: Mapping[str, Any], names: Collection[str]) -> Record:
    found = {}
    for name in names:
        value = record[name] if name in record else within(record, name)
        if value is not None:
            found[name] = value
    return found

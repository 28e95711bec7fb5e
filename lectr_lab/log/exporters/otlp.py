"""Rows of the log as spans in OTLP's JSON, in files of a day and a size.

A line of a file is a message as OpenTelemetry's collectors read them: up to `_A_LINE`
spans. No more rows than a batch are held at a time.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import msgspec
import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.files import PRIVATE
from lectr_lab.log.exporters.otel_names import (
    SCOPE,
    attributes_of,
    otel_names,
    unix_nano,
)

MOST_FILE_BYTES = 128 * 1024 * 1024
"""A file that has this much is ended by the line that it is in."""

_A_LINE = 500
_CLIENT = 3  # the kind of a span that calls another service
_OK, _ERROR = 1, 2
_WELL = frozenset({"ok", "client_disconnect"})
_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}")
_FORMS = {str: "stringValue", float: "doubleValue", bool: "boolValue"}
_SCHEMA_URL = "https://opentelemetry.io/schemas/{}"


class Exported(NamedTuple):
    """What was written."""

    spans: int = 0
    files: tuple[Path, ...] = ()


def export_spans(
    batches: Iterable[pl.DataFrame],
    folder: Path,
    *,
    most_bytes: int = MOST_FILE_BYTES,
    on_rows: Callable[[int], None] = lambda done: None,
) -> Exported:
    """Write rows as spans, one file after another.

    Args:
        batches: rows of the log, the days one after another.
        folder: where the files go, `spans-<day>-<number>.jsonl` (UTC), readable by you
            alone; it is made where it is missing. An earlier export's files of a day that
            is written are replaced.
        most_bytes: how long a file may become before another one is begun.
        on_rows: told how many rows are written, now and then.

    Returns:
        How many spans, and in which files. A file appears under its name when it is
        whole.

    Raises:
        LogError: something cannot be written.

    >>> from tempfile import mkdtemp
    >>> export_spans([], Path(mkdtemp()))
    Exported(spans=0, files=())
    """
    writer = _Files(folder, most_bytes)
    spans = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writer:
            for batch in batches:
                for day, rows in _by_day(batch):
                    for some in rows.iter_slices(_A_LINE):
                        writer.write(day, _line(some))
                spans += batch.height
                on_rows(spans)
    except OSError as error:
        where = error.filename or folder
        raise LogError(
            f"{where} cannot be written: {error.strerror or error}."
        ) from None
    return Exported(spans, tuple(writer.files))


def span_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as a span of OTLP's JSON.

    Its trace is the client's own, where the row names one, else one of its own.

    Args:
        row: an event, by the log's columns.

    >>> from datetime import UTC, datetime
    >>> span = span_of({
    ...     "event_id": bytes(range(16)), "started_at": datetime(2026, 11, 2, tzinfo=UTC),
    ...     "operation": "chat", "outcome": "ok", "total_ms": 310.0,
    ...     "model_requested": "gpt-4o",
    ... })
    >>> span["name"], span["spanId"], span["endTimeUnixNano"]
    ('chat gpt-4o', '08090a0b0c0d0e0f', '1793577600310000000')
    """
    trace = row.get("trace_id") or ""
    event_id = row["event_id"].hex()
    outcome, attributes = row.get("outcome"), attributes_of(row)
    named = (
        attributes.get("gen_ai.operation.name"),
        row.get("model_requested") or row.get("model_actual"),
    )
    return {
        "traceId": trace if _TRACE.fullmatch(trace) else event_id,
        "spanId": event_id[16:],
        "name": " ".join(filter(None, named)) or "request",
        "kind": _CLIENT,
        "startTimeUnixNano": unix_nano(row["started_at"]),
        "endTimeUnixNano": unix_nano(row["started_at"], row.get("total_ms")),
        "attributes": [
            {"key": key, "value": _value(value)} for key, value in attributes.items()
        ],
        "status": {"code": _OK if outcome in _WELL else _ERROR} if outcome else {},
    }


def _value(value: Any) -> dict[str, Any]:
    kind = type(value)
    if kind is int:
        return {"intValue": str(value)}  # 64 bits are text in protobuf's JSON
    if kind is list:
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {_FORMS[kind]: value}


def _line(rows: pl.DataFrame) -> bytes:
    service = {"key": "service.name", "value": {"stringValue": SCOPE}}
    scope = {
        "scope": {"name": SCOPE},
        "schemaUrl": _SCHEMA_URL.format(otel_names().version),
        "spans": [span_of(row) for row in rows.iter_rows(named=True)],
    }
    resource = {"resource": {"attributes": [service]}, "scopeSpans": [scope]}
    return msgspec.json.encode({"resourceSpans": [resource]}) + b"\n"


def _by_day(batch: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    days = batch["started_at"].dt.date()
    for day in days.unique().sort():
        yield day, batch.filter(days == day)


class _Files:
    """One file at a time, written aside and named when it is whole."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.files: list[Path] = []
        self._folder, self._most = folder, most_bytes
        self._numbers: Counter[date] = Counter()  # the files of each day
        self._day: date | None = None
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._end()
            self._remove_longer()
        elif self._file is not None:
            self._file.close()
            with suppress(OSError):
                self._aside().unlink()

    def write(self, day: date, line: bytes) -> None:
        if day != self._day or self._bytes >= self._most:
            self._end()
            self._day, self._bytes = day, 0
        if self._file is None:
            self._numbers[day] += 1
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._aside(), flags, PRIVATE), "wb")
        self._file.write(line)
        self._bytes += len(line)

    def _end(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        self._aside().replace(self._named())
        self.files.append(self._named())

    def _remove_longer(self) -> None:
        """What an earlier export of the same days has beyond this one."""
        for day in self._numbers:
            for file in self._folder.glob(f"spans-{day}-????.jsonl"):
                if file not in self.files:
                    file.unlink()

    def _named(self) -> Path:
        number = self._numbers[self._day] if self._day else 0
        return self._folder / f"spans-{self._day}-{number:04}.jsonl"

    def _aside(self) -> Path:
        return self._named().with_suffix(".part")

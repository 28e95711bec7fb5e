"""Spans and log records in OTLP's JSON: of a file, one object or one a line, or of a folder of them.

Names are those of OTLP's messages, of older exporters (`instrumentationLibrarySpans`),
and in snake_case, as some libraries write protobuf.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.log.importers.fields import fitted
from lectr_lab.log.importers.otlp_logs import Record
from lectr_lab.log.importers.source import files_in, json_values

_PATTERNS = ("*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.json.zst")
_SPANS = ("resourceSpans", "resource_spans", "batches")
_LOGS = ("resourceLogs", "resource_logs")
_ERRORS = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_VALUES = ("stringValue", "intValue", "doubleValue", "boolValue")


class Span(NamedTuple):
    """One span: its place in a trace, its times, what it and its resource say."""

    trace: str
    id: str
    parent: str | None
    started: Any
    ended: Any
    failed: bool
    scope: str
    attributes: Mapping[str, Any]

    @property
    def total_ms(self) -> float | None:
        """How long it took."""
        start, end = (fitted("started_at", at) for at in (self.started, self.ended))
        if start is None or end is None or end < start:
            return None
        return round((end - start).total_seconds() * 1000, 3)


def spans_in(source: Path) -> Iterator[Span | Record | None]:
    """Every span and log record of a file, or of the JSON files of a folder; None for
    what is no OTLP.

    Raises:
        LogError: a file is empty or cannot be unpacked, or a folder has none.
        OSError: one cannot be read.
    """
    for file in files_in(source, *_PATTERNS):
        for value in json_values(file).values:
            found = False
            held: Iterator[Span | Record] = chain(_spans(value), _records(value))
            for one in held:
                found = True
                yield one
            if not found and not _is_export(value):
                yield None


def _is_export(value: Any) -> bool:
    return isinstance(value, dict) and (isinstance(_of(value, *_SPANS, *_LOGS), list))


def _spans(export: Any) -> Iterator[Span]:
    for group in _items(export, *_SPANS):
        about = _attributes(_of(group, "resource"))
        scopes = _items(
            group,
            "scopeSpans",
            "scope_spans",
            "instrumentationLibrarySpans",
            "instrumentation_library_spans",
        )
        for scope in scopes:
            by = _of(scope, "scope", "instrumentationLibrary")
            name = _of(by, "name")
            for span in _items(scope, "spans"):
                yield _span(span, about, name if isinstance(name, str) else "")


def _records(export: Any) -> Iterator[Record]:
    for group in _items(export, *_LOGS):
        about = _attributes(_of(group, "resource"))
        for scope in _items(group, "scopeLogs", "scope_logs"):
            for record in _items(scope, "logRecords", "log_records"):
                yield _record(record, about)


def _record(record: Mapping[str, Any], about: Mapping[str, Any]) -> Record:
    attributes = {**about, **_attributes(record)}
    body = _value(_of(record, "body"))
    said = _of(record, "eventName", "event_name") or attributes.get("event.name")
    name = str(said or "")
    if "." not in name and isinstance(body, str) and body.endswith(f".{name}"):
        name = body  # Claude Code's own says the event without its product
    at = _of(record, "timeUnixNano", "time_unix_nano", "observedTimeUnixNano")
    return Record(attributes.get("event.timestamp") or at, name, attributes)


def _span(span: Mapping[str, Any], about: Mapping[str, Any], scope: str) -> Span:
    code = _of(_of(span, "status"), "code")
    attributes = {**about, **_attributes(span)}
    parent = _of(span, "parentSpanId", "parent_span_id")
    return Span(
        str(_of(span, "traceId", "trace_id") or ""),
        str(_of(span, "spanId", "span_id") or ""),
        str(parent) if parent else None,
        _of(span, "startTimeUnixNano", "start_time_unix_nano"),
        _of(span, "endTimeUnixNano", "end_time_unix_nano"),
        code in _ERRORS or "error.type" in attributes,
        scope,
        attributes,
    )


def _attributes(of: Any) -> dict[str, Any]:
    """The attributes of a resource or span, as pairs or as a plain object."""
    given = _of(of, "attributes")
    if isinstance(given, dict):
        return {
            k: v for k, v in given.items() if isinstance(v, str | int | float | list)
        }
    found = {}
    for pair in given if isinstance(given, list) else ():
        key, value = _of(pair, "key"), _value(_of(pair, "value"))
        if isinstance(key, str) and value is not None:
            found[key] = value
    return found


def _value(value: Any) -> Any:
    """A scalar, or a list of them."""
    if not isinstance(value, dict):
        return None
    items = _of(_of(value, "arrayValue", "array_value"), "values")
    if isinstance(items, list):
        return [_value(item) for item in items]
    for name in _VALUES:
        snake = f"{name.removesuffix('Value')}_value"
        found = _of(value, name, snake)
        if name == "intValue" and isinstance(found, str):  # as 64 bits have no number
            return int(found) if found.removeprefix("-").isdecimal() else None
        if found is not None:
            return found
    return None


def _items(of: Any, *names: str) -> Iterator[Mapping[str, Any]]:
    found = _of(of, *names)
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def _of(value: Any, *names: str) -> Any:
    """What an object has under the first of these names that it has."""
    if not isinstance(value, dict):
        return None
    return next((value[n] for n in names if value.get(n) is not None), None)

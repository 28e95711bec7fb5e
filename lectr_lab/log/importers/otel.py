"""OpenTelemetry GenAI spans in OTLP's JSON: one object, or one a line.

A span is a call where it says what model operation it was; tools and agents are not.
Attributes are taken by the OpenTelemetry names of the log's own columns and the older
names below; prompts and answers (`gen_ai.input.messages`, events) are in neither list.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import columns
from lectr_lab.core.llm_api.lenient_json import loads, salvaged
from lectr_lab.log.importers.fields import Imported, Rows, fitted
from lectr_lab.log.importers.source import opened

_OPERATIONS = MappingProxyType(
    {
        "chat": "chat",
        "generate_content": "chat",
        "text_completion": "completions",
        "embeddings": "embeddings",
    }
)
_OLDER = MappingProxyType(
    {
        "gen_ai.system": "provider",
        "gen_ai.usage.prompt_tokens": "input_tokens",
        "gen_ai.usage.completion_tokens": "output_tokens",
        "service.name": "feature",
        "lectr.feature": "feature",
    }
)
_OURS = frozenset(  # never from outside: who, when, and what is worked out here
    {"event_id", "started_at", "org", "kind", "shadow_of", "total_ms", "operation"}
)
_IN_SECONDS = frozenset({"ttft_ms", "ttfb_ms", "overhead_ms"})
_FORMATS = MappingProxyType({"json": "json_schema", "text": "text"})
_STATUS_ERROR = 2


class _Value(msgspec.Struct):
    stringValue: str | None = None
    intValue: int | str | None = None
    doubleValue: float | None = None
    boolValue: bool | None = None
    arrayValue: dict[str, Any] | None = None


class _Attribute(msgspec.Struct):
    key: str = ""
    value: _Value | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] = []


class _Status(msgspec.Struct):
    code: int | str | None = None


class _Span(msgspec.Struct):
    traceId: str = ""
    spanId: str = ""
    startTimeUnixNano: str | int | None = None
    endTimeUnixNano: str | int | None = None
    attributes: list[_Attribute] = []
    status: _Status | None = None


class _Scope(msgspec.Struct):
    spans: list[_Span] = []


class _ResourceSpans(msgspec.Struct):
    resource: _Resource | None = None
    scopeSpans: list[_Scope] = []


class _Export(msgspec.Struct):
    resourceSpans: list[_ResourceSpans] = []


def otel_rows(source: Path) -> Rows:
    """The model calls among the spans of an export.

    Raises:
        LogError: the file holds no OTLP JSON.
        OSError: it cannot be read.
    """
    with opened(source) as file:
        data = file.read()
    if not data.strip():
        raise LogError(f"{source} is empty.")
    whole = loads(data)
    lines = [whole] if whole is not None else map(loads, data.splitlines())
    exports = [e for e in (salvaged(_Export, v) for v in lines) if e is not None]
    if not any(export.resourceSpans for export in exports):
        raise LogError(f"{source} holds no spans: no OTLP JSON with resourceSpans.")
    groups = [group for export in exports for group in export.resourceSpans]
    spans = sum(len(scope.spans) for group in groups for scope in group.scopeSpans)
    return Rows(spans, _imported(groups))


def _imported(groups: list[_ResourceSpans]) -> Iterator[Imported]:
    for group in groups:
        about = _values(group.resource.attributes if group.resource else [])
        for span in (span for scope in group.scopeSpans for span in scope.spans):
            attributes = about | _values(span.attributes)
            if attributes.get("gen_ai.operation.name") in _OPERATIONS:
                yield Imported(
                    f"{span.traceId}/{span.spanId}", _facts(span, attributes)
                )


def _facts(span: _Span, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = {
        column: attributes[key] for key, column in _names().items() if key in attributes
    }
    for column in _IN_SECONDS & facts.keys():
        facts[column] = _times_1000(facts[column])
    if "response_format" in facts:
        facts["response_format"] = _FORMATS.get(facts["response_format"])
    failed = _failed(span, attributes)
    started = fitted("started_at", span.startTimeUnixNano)
    ended = fitted("started_at", span.endTimeUnixNano)
    known = started is not None and ended is not None and ended >= started
    took = (ended - started).total_seconds() * 1000 if known else None
    return facts | {
        "started_at": started,
        "operation": _OPERATIONS[attributes["gen_ai.operation.name"]],
        "total_ms": took,
        "outcome": "provider_error" if failed else "ok",
    }


def _failed(span: _Span, attributes: Mapping[str, Any]) -> bool:
    code = span.status.code if span.status else None
    return code in (_STATUS_ERROR, "STATUS_CODE_ERROR") or "error.type" in attributes


def _names() -> Mapping[str, str]:
    """Attribute → column; of two for one column the last that is there counts."""
    standard = {c.otel: c.name for c in columns() if c.name not in _OURS}
    return {**_OLDER, **standard}


def _values(attributes: list[_Attribute]) -> dict[str, Any]:
    found = ((a.key, _value(a.value)) for a in attributes if a.value is not None)
    return {key: value for key, value in found if value is not None}


def _value(value: _Value) -> Any:
    if value.arrayValue is not None:
        items = value.arrayValue.get("values")
        first = (
            salvaged(_Value, items[0]) if isinstance(items, list) and items else None
        )
        return _value(first) if first else None
    given = (value.stringValue, value.intValue, value.doubleValue, value.boolValue)
    return next((v for v in given if v is not None), None)


def _times_1000(value: Any) -> float | None:
    return round(value * 1000, 3) if isinstance(value, int | float) else None

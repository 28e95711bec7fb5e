"""A row of the log as attributes of an OpenTelemetry span, and such a span as a row.

Which attribute a column is, and in which unit, `core/event.py` says; `otel_names.toml`
has the conventions' version and their words. Where a column's value cannot be had back
from the convention's (`responses` is a "chat"), an attribute `lectr.<column>` has it as
it is, so that nothing of a row is lost.
"""

import math
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import msgspec

from lectr_lab.core.column import ColumnSpec
from lectr_lab.core.event import columns

SCOPE = "lectr_lab"
"""The instrumentation scope of spans that were rows of a log."""

IN_THE_SPAN = MappingProxyType({"started_at": "startTimeUnixNano"})
"""Columns that are no attribute, and the field of a span that has them."""

_KEPT = "lectr."
_MICROSECOND = timedelta(microseconds=1)


class OtelNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The conventions that spans are written by, and how they say what the log says."""

    version: str
    source: str
    checked: date
    seconds: frozenset[str]
    lists: frozenset[str]
    values: dict[str, dict[str, str]]
    also: dict[str, tuple[str, ...]]


@cache
def otel_names() -> OtelNames:
    """The table, as the file has it.

    >>> otel_names().values["provider"]["gemini"]
    'gcp.gemini'
    """
    text = files("lectr_lab.log.exporters").joinpath("otel_names.toml").read_text()
    return msgspec.convert(tomllib.loads(text), OtelNames)


def attributes_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a row's span, by the conventions' current names.

    Args:
        row: an event, by the log's columns; what is null or missing has no attribute.

    Returns:
        Text, whole and other numbers, truth values and lists of text, as OTLP has them;
        bytes as hexadecimal text.

    >>> row = {"provider": "gemini", "operation": "chat", "ttft_ms": 310.5}
    >>> attributes_of(row)["gen_ai.provider.name"]
    'gcp.gemini'
    >>> attributes_of(row)["gen_ai.response.time_to_first_chunk"]
    0.3105
    """
    plain, others = _by_form()
    found: dict[str, Any] = {
        otel: value for name, otel in plain if (value := row.get(name)) is not None
    }
    for spec in others:
        value = row.get(spec.name)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        said = _said(spec.name, value)
        found[spec.otel] = said
        if _meant(spec, said) != value:
            found[_KEPT + spec.name] = _plain(value)
        for other in otel_names().also.get(spec.name, ()):
            found[other] = said
    return found


def row_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What `attributes_of` was given, less what stands in the span itself.

    Args:
        attributes: of a span of the scope `SCOPE`.

    Returns:
        A value per column that has one of its type; others are left out.

    >>> row_of({"gen_ai.provider.name": "gcp.gemini", "lectr.event.id": "00ff"})
    {'event_id': b'\\x00\\xff', 'provider': 'gemini'}
    """
    found = {}
    for spec in _columns():
        kept = attributes.get(_KEPT + spec.name)
        value = _meant(spec, attributes.get(spec.otel)) if kept is None else None
        value = _typed(spec, kept) if value is None else value
        if value is not None:
            found[spec.name] = value
    return found


def unix_nano(at: datetime, later_ms: float | None = None) -> str:
    """A time as a span has it: nanoseconds since 1970, as text.

    >>> from datetime import UTC
    >>> unix_nano(datetime(2026, 11, 2, tzinfo=UTC), 0.25)
    '1793577600000250000'
    """
    since = at - datetime(1970, 1, 1, tzinfo=at.tzinfo)
    later = later_ms if later_ms is not None and math.isfinite(later_ms) else 0.0
    return str(since // _MICROSECOND * 1000 + max(0, round(later * 1_000_000)))


@cache
def _columns() -> tuple[ColumnSpec, ...]:
    return tuple(spec for spec in columns() if spec.name not in IN_THE_SPAN)


@cache
def _by_form() -> tuple[tuple[tuple[str, str], ...], tuple[ColumnSpec, ...]]:
    """Columns whose values are an attribute's as they are, most of them; and the rest."""
    names = otel_names()
    formed = names.seconds | names.lists | {*names.values, *names.also}
    others = tuple(
        spec
        for spec in _columns()
        if spec.name in formed or spec.python_type in (float, bytes)
    )
    plain = (spec for spec in _columns() if spec not in others)
    return tuple((spec.name, spec.otel) for spec in plain), others


@cache
def _back(column: str) -> Mapping[str, str]:
    words = otel_names().values.get(column, {})
    return {theirs: ours for ours, theirs in reversed(words.items())}


def _said(column: str, value: Any) -> Any:
    """A column's value in the convention's words and unit."""
    names = otel_names()
    if column in names.seconds:
        return value / 1000
    if column in names.lists:
        return [value]
    return names.values.get(column, {}).get(value, _plain(value))


def _meant(spec: ColumnSpec, said: Any) -> Any:
    """What a column's value was; None where what is there is of another kind."""
    names = otel_names()
    if spec.name in names.seconds:
        is_number = isinstance(said, int | float) and not isinstance(said, bool)
        return round(said * 1000, 3) if is_number else None
    if spec.name in names.lists:
        said = said[0] if isinstance(said, list) and len(said) == 1 else None
    if isinstance(said, str):
        said = _back(spec.name).get(said, said)
    return _typed(spec, said)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _typed(spec: ColumnSpec, value: Any) -> Any:
    """A value of the column's type; None where it is none."""
    kind = spec.python_type
    if kind is bytes and isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            return None
    if kind is float and type(value) is int:
        return float(value)
    return value if type(value) is kind else None

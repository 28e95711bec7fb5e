"""OpenTelemetry spans of model calls, whatever convention they follow, and log records
of the coding agents that tell of their calls in these (`otlp_logs.py`).

Which attribute is which column, and which span is a call, `otel_names.toml` says. A span
that says tokens and no operation that is known is a call as well.

What is above calls is none: frameworks and agents put the sum of their calls on a span
of their own, and two instrumentations of one call give two spans, one in the other. So
of spans with tokens, or of calls, those count that have none below them whose tokens
they sum up. (A call that starts another one, say of a tool, is a call all the same.)
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.log.exporters.otel_names import SCOPE, row_of
from lectr_lab.log.importers.cached_input import TOLD_APART, convention, with_cached
from lectr_lab.log.importers.fields import (
    Cached,
    Choices,
    Imported,
    Item,
    Left,
    Rows,
    Said,
    fitted,
)
from lectr_lab.log.importers.otel_names import (
    A_CALL,
    NO_CALL,
    facts_of,
    kind_of,
    total_of,
)
from lectr_lab.log.importers.otlp_json import Span, spans_in
from lectr_lab.log.importers.otlp_logs import Record, items_of

WITHIN = "spans within a call that is counted, without tokens of their own"
ABOVE = "spans above the calls whose tokens they sum up"
OTHER = "spans of something else than a model's call"
SILENT = "spans that name a model, and neither an operation nor tokens"
AGENT = (
    "spans of agents or steps with tokens, without the calls that they sum up: these "
    "were not exported"
)
NO_EXPORT = "what is no OTLP JSON: no object with resourceSpans or resourceLogs"
_TRACE = re.compile("[0-9a-f]{32}")
_TOKENS = ("input_tokens", "output_tokens")
_FAR = 64  # spans between a call and what sums it up

_Id = tuple[str, str]


class _Found(NamedTuple):
    """What a span that may be a call says that it was, and its tokens."""

    kind: str | None
    given: int | None
    received: int | None


class _Seen(NamedTuple):
    """What is remembered of every span of an export."""

    parents: dict[_Id, _Id]
    calls: dict[_Id, _Found]
    conventions: dict[tuple[str, str | None], Cached]


def otel_rows(source: Path, choices: Choices) -> Rows:
    """The model calls among the spans of an export.

    Raises:
        LogError: a file is empty or cannot be unpacked.
        OSError: it cannot be read.
    """
    seen = _seen(source)
    return Rows(len(seen.calls), _items(source, choices, seen))


def _seen(source: Path) -> _Seen:
    """The export's spans, looked at for how they lie in each other and how they count."""
    seen = _Seen({}, {}, {})
    for span in spans_in(source):
        if not isinstance(span, Span) or span.scope == SCOPE:
            continue
        here = (span.trace, span.id)
        if span.parent:
            seen.parents[here] = (span.trace, span.parent)
        facts, kind = facts_of(span.attributes), kind_of(span.attributes)
        if not _may_be_call(kind, facts):
            continue
        given, received = (fitted(name, facts.get(name)) for name in _TOKENS)
        seen.calls[here] = _Found(kind, given, received)
        how = convention(facts, total_of(span.attributes))
        by = (span.scope, facts.get("provider"))
        if how == "apart" or (how and by not in seen.conventions):
            seen.conventions[by] = how
    return seen


def _may_be_call(kind: str | None, facts: Mapping[str, Any]) -> bool:
    counted = any(fitted(name, facts.get(name)) for name in _TOKENS)
    return counted or kind not in (None, NO_CALL, A_CALL)


def _items(source: Path, choices: Choices, seen: _Seen) -> Iterator[Item]:
    below = _below(seen)
    for span in spans_in(source):
        if span is None:
            yield Left(NO_EXPORT)
            continue
        if isinstance(span, Record):
            yield from items_of(span, choices)
            continue
        here = (span.trace, span.id)
        if span.scope == SCOPE:
            yield _own(span)
            continue
        if here not in seen.calls:
            named = facts_of(span.attributes).get("model_requested") is not None
            silent = named and kind_of(span.attributes) != NO_CALL
            yield Left(SILENT if silent else OTHER)
            continue
        if _sums_up(seen.calls[here], [seen.calls[one] for one in below[here]]):
            yield Left(ABOVE)
            continue
        if _is_within(here, seen):
            yield Left(WITHIN)
            continue
        kind = kind_of(span.attributes)
        if kind == NO_CALL:
            yield Left(AGENT)
            continue
        yield from _call(span, kind, choices, seen)


def _below(seen: _Seen) -> Mapping[_Id, list[_Id]]:
    """Of each call the nearest calls below it."""
    below: dict[_Id, list[_Id]] = defaultdict(list)
    for call in seen.calls:
        if (above := _above(call, seen)) is not None:
            below[above].append(call)
    return below


def _above(call: _Id, seen: _Seen) -> _Id | None:
    """The nearest call above one."""
    above = seen.parents.get(call)
    for _ in range(_FAR):
        if above is None or above in seen.calls:
            return above
        above = seen.parents.get(above)
    return None


def _is_within(call: _Id, seen: _Seen) -> bool:
    """A second span of a call, which leaves the counting to the one above it."""
    found, above = seen.calls[call], _above(call, seen)
    if found.given or found.received or above is None:
        return False
    outer = seen.calls[above]
    return outer.kind == found.kind and bool(outer.given or outer.received)


def _sums_up(call: _Found, below: list[_Found]) -> bool:
    """A span says what calls below it say: of itself it called nothing."""
    if not below:
        return False
    if call.kind in (None, NO_CALL, A_CALL) or not (call.given or call.received):
        return True
    if call.received:  # inputs may leave out what was cached, answers do not
        answers = [one.received or 0 for one in below]
        return call.received in (sum(answers), *answers)
    inputs = [one.given or 0 for one in below]
    return call.given in (sum(inputs), *inputs)


def _own(span: Span) -> Imported:
    """A row of a log that was exported: as it was."""
    row = row_of(span.attributes)
    row["started_at"] = fitted("started_at", span.started)
    return Imported(f"{span.trace}/{span.id}", row, is_own=True)


def _call(
    span: Span, kind: str | None, choices: Choices, seen: _Seen
) -> Iterator[Item]:
    facts = facts_of(span.attributes)
    alone = convention(facts, total_of(span.attributes))
    how = choices.cached or alone
    if how is None:
        how = seen.conventions.get((span.scope, facts.get("provider")))
    if how == "apart" and choices.cached is None:
        yield Said(TOLD_APART)
    facts = with_cached(facts, how)
    yield Imported(
        f"{span.trace}/{span.id}",
        facts
        | {
            "started_at": span.started,
            "operation": _operation(kind),
            "total_ms": span.total_ms,
            "trace_id": span.trace if _TRACE.fullmatch(span.trace) else None,
            "outcome": "provider_error" if span.failed else "ok",
        },
    )


def _operation(kind: str | None) -> str | None:
    """Not named where the span does not: such a row is a call, of what kind nobody said."""
    return None if kind in (None, A_CALL) else kind

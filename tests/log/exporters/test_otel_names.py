"""Rows as attributes of spans, by the conventions' names, and back."""

import math
from datetime import UTC, date, datetime
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event, columns
from lectr_lab.log.exporters.otel_names import (
    attributes_of,
    otel_names,
    row_of,
    unix_nano,
)

NAMES = otel_names()
WORDS = [
    word for words in NAMES.values.values() for pair in words.items() for word in pair
]
VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(min_size=1, max_size=20) | st.sampled_from(WORDS),
    int: st.integers(0, 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(min_size=16, max_size=16),
}


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """Any values that the columns' types allow, and any of them missing."""
    kinds = {c.name: VALUES[c.python_type] for c in columns() if c.name != "started_at"}
    return st.fixed_dictionaries({}, optional=kinds)


@given(row=rows())
def test_a_row_is_had_back_from_its_attributes(row):
    """Whatever its values are, also where the convention has fewer words."""
    assert row_of(attributes_of(row)) == row


def test_the_conventions_words_are_used():
    """Gemini's API, and a response that is a chat there."""
    found = attributes_of(
        {
            "provider": "gemini",
            "operation": "responses",
            "finish_reason": "stop",
            "session": "s-1",
            "response_format": "json_object",
            "ttft_ms": 1500.0,
        }
    )

    assert found == {
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.operation.name": "chat",
        "lectr.operation": "responses",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.conversation.id": "s-1",
        "session.id": "s-1",
        "gen_ai.output.type": "json",
        "lectr.response_format": "json_object",
        "gen_ai.response.time_to_first_chunk": 1.5,
    }


def test_what_nobody_said_has_no_attribute():
    """Nor has a number that JSON cannot write."""
    assert attributes_of({"input_tokens": None, "ttft_ms": math.nan}) == {}


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai.usage.input_tokens": "many"},
        {"gen_ai.usage.input_tokens": True},
        {"lectr.event.id": "no hex"},
        {"gen_ai.response.finish_reasons": ["stop", "length"]},
        {"gen_ai.response.time_to_first_chunk": "soon"},
        {"gen_ai.input.messages": "Dear John"},
    ],
)
def test_what_is_of_another_kind_is_left_out(attributes):
    """And so is what is no column."""
    assert row_of(attributes) == {}


def test_the_table_s_columns_and_words_are_the_log_s():
    """Each is a column, and each word one that the column may hold."""
    hints = get_type_hints(Event)
    named = NAMES.seconds | NAMES.lists | {*NAMES.values, *NAMES.also}

    assert named <= {c.name for c in columns()}
    for column in ("operation", "response_format"):
        assert NAMES.values[column].keys() <= set(_words(hints[column]))


def test_no_attribute_has_two_meanings():
    """Neither a column's own, nor what keeps its value as it is, is another's."""
    names = [c.otel for c in columns()]
    own = {c.otel: c.name for c in columns()}

    assert len(set(names)) == len(names)
    for spec in columns():
        assert own.get(f"lectr.{spec.name}", spec.name) == spec.name


def test_the_table_says_what_it_is_of():
    """Its version, where it was read, and when."""
    assert NAMES.source.startswith("https://") and NAMES.checked > date(2026, 1, 1)
    assert NAMES.version


def test_times_are_whole_nanoseconds():
    """To the microsecond, and no span ends before it starts."""
    at = datetime(2026, 11, 2, 12, 0, 0, 1, UTC)

    assert unix_nano(at) == "1793620800000001000"
    assert unix_nano(at, -5.0) == unix_nano(at, math.nan) == unix_nano(at)


def _words(hint: Any) -> list[str]:
    return [w for m in get_args(hint) or () for w in (get_args(m) or [m])]

"""A row becomes an event that is no more certain than the row."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import columns
from lectr_lab.log.importers import events
from lectr_lab.log.importers.events import event_of, identity
from lectr_lab.log.importers.fields import Imported
from lectr_lab.log.importers.report import Tally

AT = datetime(2026, 11, 24, tzinfo=UTC)


def made(facts: Mapping[str, Any], tally: Tally | None = None, **more: Any):
    row = Imported("id-1", {"started_at": AT, **facts}, **more)
    return event_of(
        row, source="s", org="o", hashed=lambda text: "h", tally=tally or Tally()
    )


@pytest.mark.parametrize(
    ("facts", "outcome", "said"),
    [
        ({"status": 200}, "ok", None),
        ({"status": "404"}, "provider_error", None),
        ({"status": 499}, "client_disconnect", None),
        ({"status": 504}, "timeout", None),
        ({"error_type": "APIError"}, "provider_error", None),
        ({}, "ok", events.NO_OUTCOME),
        ({"outcome": "ok", "status": 200}, "ok", None),
        ({"outcome": "ok", "status": 500}, "ok", events.DISAGREE),
        ({"outcome": "refused", "status": 200}, "refused", events.DISAGREE),
    ],
)
def test_the_status_tells_an_outcome_that_is_not_given(facts, outcome, said):
    """Where both are and disagree, it is said."""
    tally = Tally()

    assert made({"input_tokens": 3, **facts}, tally)["outcome"] == outcome
    assert set(tally.said) == ({said} if said else set())


@pytest.mark.parametrize(
    ("facts", "kept", "said"),
    [
        ({"input_tokens": 0, "output_tokens": 0}, {}, events.ZERO_TOKENS),
        ({"input_tokens": 0, "status": 500}, {}, None),
        ({"input_tokens": 0, "image_count": 2}, {"image_count": 2}, None),
        (
            {"input_tokens": 3, "output_tokens": 0},
            {"input_tokens": 3, "output_tokens": 0},
            None,
        ),
        (
            {"input_tokens": 3, "cost_stated_usd": 0},
            {"input_tokens": 3},
            events.ZERO_COST,
        ),
        (
            {"input_tokens": 3, "cost_stated_usd": 0, "service_tier": "gateway_cache"},
            {"input_tokens": 3, "cost_stated_usd": 0},
            None,
        ),
    ],
)
def test_a_zero_that_contradicts_the_row_is_no_count(facts, kept, said):
    """Of tokens, and of a cost."""
    tally = Tally()

    event = made({"status": 200, **facts}, tally)

    names = ("input_tokens", "output_tokens", "image_count", "cost_stated_usd")
    assert {name: event[name] for name in names if name in event} == kept
    assert set(tally.said) == ({said} if said else set())


def test_a_call_without_any_count_is_told_of():
    """Not one that failed, nor what asks no model."""
    tally = Tally()

    for more in ({}, {"status": 500}, {"operation": "models"}, {"image_count": 1}):
        made({"status": 200, **more}, tally)

    assert tally.said == {events.NO_TOKENS: 1}


def test_what_does_not_fit_is_counted_by_column():
    """And what is empty is not."""
    tally = Tally()

    made({"input_tokens": "many", "feature": "x" * 101, "session": ""}, tally)

    assert tally.unreadable == {"input_tokens": 1, "feature": 1}


def test_a_user_is_hashed_and_a_long_id_too():
    """A name that fits is kept."""
    assert made({"user": "ann"})["user"] == "h"
    row = Imported("an id with spaces", {"started_at": AT})
    event = event_of(row, source="s", org="o", hashed=lambda _: "h", tally=Tally())
    assert event["source_id"] == "h"
    assert made({})["source_id"] == "id-1"


def test_a_provider_is_told_by_the_model_where_only_one_sells_it():
    """As the proxy does it."""
    found = made({"model_actual": "claude-x"})

    assert (found["provider"], found["provider_source"]) == ("anthropic", "model")
    assert "provider" not in made({"model_actual": "llama-3.1-8b-instant"})


@given(other=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))
def test_an_id_is_the_sources_whatever_the_time(other):
    """Behind the six bytes of its time."""
    moved = made({"started_at": other.replace(tzinfo=UTC)})["event_id"]

    assert moved[6:] == made({})["event_id"][6:] == identity("s", "o", "id-1")
    assert identity("t", "o", "id-1") != identity("s", "o", "id-1")


def test_a_row_of_our_own_stays_as_it_was():
    """Its id, its org, its user and its zeros."""
    facts = {"event_id": b"0" * 16, "org": "mine", "user": "ann", "input_tokens": 0}

    event = made(facts, is_own=True)

    assert {name: event[name] for name in facts} == facts
    assert "source" not in event
    assert len(made({"org": "mine"}, is_own=True)["event_id"]) == 16


def test_every_fact_is_a_column():
    """What is made of one can be written."""
    names = {c.name for c in columns()}

    assert made({"status": 200, "model_actual": "gpt-4o"}).keys() <= names

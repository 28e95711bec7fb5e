"""The log as it would have come back: exact against the scalar price, row by row."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.simulate.costs import (
    as_if,
    facts,
    latencies,
    output_usd_per_token,
    percentiles,
)
from lectr_lab.analysis.simulate.reroute import KEYS, decided
from lectr_lab.core.pricing.price import price_event
from lectr_lab.core.routing.rules import Rule, RuleTarget

START = datetime(2026, 11, 2, tzinfo=UTC)
tokens = st.none() | st.integers(0, 300_000)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.tuples(tokens, tokens, tokens, tokens), min_size=1, max_size=8),
    target=st.sampled_from(
        ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-5-mini", "nobody-knows"]
    ),
    tier=st.sampled_from([None, "default", "priority", "odd"]),
)
def test_a_moved_row_costs_what_the_scalar_rule_says(
    counts, target, tier, log_of, event
):
    """The same counts, time and tier under the target's name, to the last digit."""
    events = [
        event(
            event_id=bytes([i]) * 16,
            started_at=START + timedelta(hours=i),
            model_requested="gpt-4o",
            model_sent="gpt-4o",
            model_actual="gpt-4o-2024-08-06",
            service_tier=tier,
            input_tokens=read,
            output_tokens=written,
            cache_read_tokens=cached,
            reasoning_tokens=thought,
        )
        for i, (read, written, cached, thought) in enumerate(counts)
    ]
    rule = Rule(name="r", priority=1, then=RuleTarget(model=target))
    log = log_of(events)
    kinds = decided(log.select(KEYS).unique().collect(), [rule], ()).with_columns(
        move=pl.lit(0), keeps_tier=pl.lit(True), times=pl.lit(1.0)
    )

    found = priced(as_if(log, kinds)).collect().sort("event_id")["cost_usd"]

    said = [
        price_event(
            replace(one, model_sent=target, model_actual=None, model_requested=None)
        )
        for one in events
    ]
    assert found.to_list() == [None if usd is None else float(usd) for usd in said]


@pytest.mark.parametrize("stays", [True, False])
def test_a_place_is_kept_at_the_same_vendor_alone(stays, log_of, event):
    """Elsewhere nobody said so, and it would have no price."""
    log = log_of([event(model_sent="claude-opus-5-5", inference_geo="us")])
    rule = Rule(name="r", priority=1, then=RuleTarget(model="claude-sonnet-5-5"))
    kinds = decided(log.select(KEYS).unique().collect(), [rule], ()).with_columns(
        move=pl.lit(0), keeps_tier=pl.lit(stays), times=pl.lit(1.0)
    )

    [row] = as_if(log, kinds).collect().to_dicts()

    assert row["inference_geo"] == ("us" if stays else None)


def test_longer_answers_keep_their_parts(log_of, event):
    """Reasoning is part of the answer: it grows with it, and never beyond it."""
    log = log_of([event(output_tokens=3, reasoning_tokens=3, model_sent="gpt-4o")])
    rule = Rule(name="r", priority=1, then=RuleTarget(model="o4-mini"))
    kinds = decided(log.select(KEYS).unique().collect(), [rule], ()).with_columns(
        move=pl.lit(0), keeps_tier=pl.lit(False), times=pl.lit(1.5)
    )

    [row] = as_if(log, kinds).collect().to_dicts()

    assert (row["output_tokens"], row["reasoning_tokens"]) == (4, 4)


def test_facts_count_what_was_asked_and_answered(log_of, event, failed):
    """A failed request is a request and no answer."""
    log = priced(log_of([event(), event(), failed()]))

    [row] = facts(log).collect().to_dicts()

    assert (row["requests"], row["counted"], row["answers"]) == (3, 2, 2)
    assert (row["input"], row["output"], row["output_squares"]) == (2000, 1000, 500_000)


def test_a_token_of_answer_costs_its_list_price():
    """0.60 USD a million, and nothing is known of a model that nobody knows."""
    moves = pl.DataFrame(
        {
            "to_provider": ["openai", "openai"],
            "to_model": ["gpt-4o-mini", "nobody-knows"],
            "at": [START, START],
            "input_tokens": [1000, 1000],
        }
    )

    known, unknown = output_usd_per_token(moves, None)

    assert known == pytest.approx(0.6e-6)
    assert unknown is None


def test_latencies_are_of_answers_by_the_models_asked(log_of, event, failed):
    """Failures are quick, and do not count."""
    log = log_of([event(total_ms=ms) for ms in (100.0, 300.0)] + [failed()])

    found = latencies(log, [("openai", "gpt-4o-mini")])

    [row] = percentiles(found, ["org"]).to_dicts()
    assert (row["p50_ms"], row["n"]) == (200.0, 2)
    assert latencies(log, [("groq", "gpt-4o-mini")]).is_empty()

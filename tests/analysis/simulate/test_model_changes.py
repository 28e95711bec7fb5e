"""Moves: what carries over, what they cost by day, how fast the target was seen to be."""

from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.simulate.costs import facts
from lectr_lab.analysis.simulate.model_changes import (
    costs_by_day,
    moves_of,
    with_latencies,
    with_moves,
)
from lectr_lab.analysis.simulate.reroute import KEYS, decided
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget

START = datetime(2026, 11, 2, tzinfo=UTC)
TO_MINI = Rule(
    name="mini",
    priority=1,
    when=Conditions(model="gpt-4o"),
    then=RuleTarget(model="gpt-4o-mini"),
)
BIG = {
    "model_requested": "gpt-4o",
    "model_sent": "gpt-4o",
    "model_actual": "gpt-4o-2024-08-06",
}


@pytest.fixture(scope="session")
def looked_at(log_of):
    """A log with its facts, kinds and moves."""

    def look(events, rule=TO_MINI):
        log = priced(log_of(events))
        found = facts(log).collect()
        kinds = decided(found.select(KEYS).unique(), [rule], ("anthropic",))
        found = found.join(kinds, on=KEYS, nulls_equal=True)
        moves = moves_of(kinds, found, 0.9)
        kinds = with_moves(kinds, moves)
        found = found.join(kinds.select(*KEYS, "move"), on=KEYS, nulls_equal=True)
        return log, found, kinds, moves

    return look


def test_lengths_are_learned_where_both_answered(looked_at, event):
    """Thirty answers each to one feature: half as long, and the interval says how sure."""
    events = [event(feature="faq", output_tokens=n, **BIG) for n in (90, 110) * 20]
    events += [event(feature="faq", output_tokens=n) for n in (45, 55) * 20]

    [move] = looked_at(events)[3].to_dicts()

    assert move["output_ratio"] == pytest.approx(0.5)
    assert move["output_ratio_low"] < 0.5 < move["output_ratio_high"]
    assert (move["answers_from"], move["answers_to"]) == (40, 40)


def test_one_org_teaches_nothing_of_another(looked_at, event):
    """The other org's answers by the target are its own."""
    events = [event(org="a", feature="faq", output_tokens=100, **BIG)] * 40
    events += [event(org="b", feature="faq", output_tokens=50)] * 40

    [move] = looked_at(events)[3].to_dicts()

    assert (move["output_ratio"], move["output_ratio_low"]) == (1.0, None)


def test_costs_are_those_of_whole_days_and_of_mixed_ones(looked_at, event):
    """A day on which some rows lack a price is looked at row by row."""
    odd = {**BIG, "model_actual": "nobody-knows"}
    tomorrow = START + timedelta(days=1)
    events = [event(**BIG), event(**odd), event(started_at=tomorrow, **BIG)]
    log, found, kinds, _ = looked_at(events)

    first, second = costs_by_day(log, found, kinds, None).to_dicts()

    assert (first["judged"], first["unpriced"], first["unpriced_after"]) == (1, 1, 0)
    for day in (first, second):
        assert day["before_usd"] == pytest.approx((2.5 * 1000 + 10 * 500) / 1e6)
        assert day["after_usd"] == pytest.approx((0.15 * 1000 + 0.6 * 500) / 1e6)


def test_a_day_without_any_present_price_is_not_judged(looked_at, event):
    """Nothing is saved where nobody knows what was paid."""
    odd = {**BIG, "model_actual": "nobody-knows"}
    log, found, kinds, _ = looked_at([event(**odd)])

    [day] = costs_by_day(log, found, kinds, None).to_dicts()

    assert (day["judged"], day["unpriced"], day["after_usd"]) == (0, 1, 0)


def test_latency_is_the_features_own_where_there_is_enough(looked_at, event):
    """Thirty answers of the feature; else all the org's; else none."""
    seen = [event(feature="faq", total_ms=50.0)] * 30
    moved = [event(feature=f, total_ms=200.0, **BIG) for f in ("faq", "chat")]
    log, _, _, moves = looked_at(moved + seen)
    found = {row["feature"]: row for row in with_latencies(log, moves).to_dicts()}

    assert found["faq"]["after_latency_of"] == "feature"
    assert found["chat"]["after_latency_of"] == "model"
    assert (found["chat"]["before_p50_ms"], found["chat"]["after_p50_ms"]) == (200, 50)

    log, _, _, moves = looked_at(moved)
    assert with_latencies(log, moves)["after_p50_ms"].to_list() == [None, None]

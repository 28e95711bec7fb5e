"""Budgets, kept and broken."""

from datetime import UTC, datetime

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame
from lectr_lab.testing.budget import assert_budget


def log(*calls):
    """Events with a cost: (feature, cost, total_ms, outcome)."""
    events = [
        Event(
            event_id=bytes(16),
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            org="o",
            feature=feature,
            path="/v1/chat/completions",
            operation="chat",
            model_actual="m",
            outcome=outcome,
            total_ms=total_ms,
            input_tokens=10,
            output_tokens=1,
        )
        for feature, _, total_ms, outcome in calls
    ]
    costs = [cost for _, cost, _, _ in calls]
    return frame(events).with_columns(pl.Series("cost_usd", costs, pl.Float64))


TWO = (("chat", 0.001, 100.0, "ok"), ("chat", 0.003, 300.0, "ok"))
FAILED = ("search", 0.0, 9.0, "provider_error")


@pytest.mark.parametrize(
    "limits",
    [
        {"usd_per_call": 0.002},
        {"usd_total": 0.004},
        {"p95_ms": 290},
        {"error_rate": 0},
        {"usd_per_call": 0.002, "usd_total": 1.0, "p95_ms": 1000, "error_rate": 0.5},
    ],
)
def test_what_is_within_its_limits_passes(limits):
    """A limit that is reached exactly is kept; p95 is interpolated, as in reports."""
    assert_budget(log(*TWO), **limits)
    assert_budget(log(*TWO, FAILED).lazy(), feature="chat", **limits)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"usd_per_call": 0.0019}, r"OVER cost per call: \$0\.0020; allowed \$0\.0019"),
        ({"usd_total": 0.003}, r"OVER cost in total: \$0\.0040; allowed \$0\.0030"),
        ({"p95_ms": 289}, "OVER total p95: 290 ms; allowed 289 ms"),
        ({"ttft_p95_ms": 1}, "OVER ttft p95: not known; allowed 1 ms"),
        ({"usd_per_call": 0, "error_rate": 0}, "OVER cost per call"),
    ],
)
def test_what_is_over_fails_and_says_by_how_much(limits, said):
    """So does a time that nothing measured: unknown is not within a limit."""
    with pytest.raises(AssertionError, match=said):
        assert_budget(log(*TWO), **limits)


def test_failed_calls_count_as_calls():
    """In the rate and the average; not in latencies."""
    calls = log(*TWO, FAILED)

    assert_budget(calls, p95_ms=290)
    with pytest.raises(AssertionError, match=r"errors: 33 % \(1 of 3\); allowed 10 %"):
        assert_budget(calls, error_rate=0.1)


def test_an_unknown_cost_is_over_any_budget():
    """It is never $0; the table shows whose it was."""
    with pytest.raises(AssertionError, match="1 of 3 calls at an unknown cost") as told:
        assert_budget(log(*TWO, ("secret", None, 1.0, "ok")), usd_per_call=100)

    [line] = [li for li in str(told.value).splitlines() if "secret" in li]
    assert line.split() == ["secret", "m", "1", "—", "10", "1", "1", "ms", "0"]


def test_no_calls_and_no_limits_are_mistakes():
    """A budget that checks nothing would pass for ever."""
    with pytest.raises(AssertionError, match="No call of feature other was made"):
        assert_budget(log(*TWO), feature="other", usd_per_call=1)
    with pytest.raises(ValueError, match="needs a limit"):
        assert_budget(log(*TWO))


def an_event(**fields):
    known = {
        "event_id": bytes(16),
        "started_at": datetime(2026, 11, 1, tzinfo=UTC),
        "org": "o",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "provider": "openai",
        "model_actual": "gpt-4o-mini",
        "outcome": "ok",
        "total_ms": 1.0,
        "input_tokens": 10,
    }
    return Event(**known | fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"model_actual": "nobody-knows"}, "no price"),
        (
            {"input_tokens": None, "operation": "images", "path": "/v1/images/edits"},
            "not",
        ),
        ({"web_searches": 1, "model_actual": "o3-pro"}, "a part without a price"),
        ({"input_tokens": None, "operation": "other", "path": "/v1/*"}, "not counted"),
    ],
)
def test_a_call_at_an_unknown_cost_breaks_the_budget_by_name(fields, why):
    """However cheap the others were; the message has its model, its path and why."""
    odd = {"model_actual": "gpt-4o"} | fields
    calls = priced(frame([an_event(), an_event(**odd)]).lazy())

    with pytest.raises(AssertionError, match="At an unknown cost: 1 of 2") as failure:
        assert_budget(calls, usd_per_call=1.0)

    *_, last = str(failure.value).splitlines()
    assert odd.get("path", "/v1/chat/completions") in last
    assert odd["model_actual"] in last
    assert why in last


def test_many_calls_at_an_unknown_cost_are_not_all_told():
    """The first of them, and how many more there are."""
    calls = priced(frame([an_event(model_actual="x")] * 15).lazy())

    with pytest.raises(AssertionError, match=r"and 3 more$"):
        assert_budget(calls, usd_total=1.0)


def test_a_message_stays_short_however_many_features_there_are():
    """The dearest, and all others in one line, with their mean cost."""
    named = [(f"f{i:03}", 0.001, 100.0, "ok") for i in range(40)]

    with pytest.raises(AssertionError) as refused:
        assert_budget(log(*named), usd_per_call=0.0)

    lines = str(refused.value).splitlines()
    assert len(lines) < 20
    assert "all others (28)" in lines[-1]

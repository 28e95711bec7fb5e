"""By which steps of time a dashboard counts and draws."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from lectr_lab.dashboards.steps import STEPS, counted_step, longer, next_longer, step

START = datetime(2026, 1, 1, tzinfo=UTC)
SPANS = [
    (timedelta(0), "1m", "1m"),
    (timedelta(minutes=50), "1m", "1m"),
    (timedelta(hours=3), "5m", "1m"),
    (timedelta(hours=30), "1h", "1m"),
    (timedelta(days=12), "6h", "15m"),
    (timedelta(days=28), "1d", "15m"),
    (timedelta(days=365), "1w", "6h"),
    (timedelta(days=9000), "1mo", "1mo"),
]


@pytest.mark.parametrize("span, drawn, counted", SPANS)
def test_steps_are_as_short_as_can_be_read(span, drawn, counted):
    """Fewer than 72 of them are drawn, as long as a month is enough."""
    assert step(START, START + span) == drawn
    assert counted_step(START, START + span) == counted


def test_no_time_has_a_step():
    """An empty log is drawn by the minute."""
    assert step(None, None) == counted_step(None, None) == "1m"


def test_each_step_is_longer_than_the_one_before():
    """And each that is counted lies whole in the one that is drawn."""
    order = list(STEPS)

    assert all(longer(b, a) for a, b in pairwise(order))
    assert not longer("1h", "1h")
    assert [next_longer(every, "1w") for every in order[:6]] == [*order[1:6], "1w"]
    assert next_longer("1d", "1mo") == "1mo" and next_longer("1d", "1d") == "1d"

"""Days seen from beginning to end."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.whole_days import day_edges, seen_span

FIRST = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def span(log_of, event):
    """The span of traffic at these hours after the first midnight."""

    def of(hours):
        events = [event(started_at=FIRST + timedelta(hours=h)) for h in hours]
        return seen_span(day_edges(log_of(events)).collect())

    return of


def test_a_log_that_begins_and_ends_at_noon_loses_both_days(span):
    """Hourly traffic: what was seen in part is no day."""
    assert span(range(12, 9 * 24 + 12)) == (date(2026, 11, 2), date(2026, 11, 9))


def test_a_log_of_whole_days_keeps_them(span):
    """Hourly traffic over a week."""
    assert span(range(7 * 24)) == (date(2026, 11, 1), date(2026, 11, 7))


def test_one_job_a_day_at_noon_is_a_whole_day(span):
    """Each day looks like the others."""
    assert span(range(12, 7 * 24, 24)) == (date(2026, 11, 1), date(2026, 11, 7))


def test_too_few_days_have_no_span(span):
    """Two days have nothing to be compared with."""
    assert span(range(48)) is None


@settings(max_examples=40)
@given(
    hours=st.lists(st.integers(0, 24 * 20 - 1), min_size=3, max_size=40),
)
def test_at_most_one_day_is_lost_at_each_end(hours, span):
    """Whatever the traffic."""
    found = span(hours)
    days = sorted({int(h // 24) for h in hours})
    if len(days) < 3:
        assert found is None
    else:
        first, last = ((day - FIRST.date()).days for day in found)
        assert first - days[0] in (0, 1)
        assert days[-1] - last in (0, 1)

"""Monthly figures from days: what holds for any days, and that the intervals cover.

Days seen from beginning to end.
"""

import runpy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.monthly import LEAST_DAYS, day_edges, monthly, seen_span

COVERAGE = runpy.run_path(
    str(Path(__file__).parents[1] / "benchmarks/interval_coverage.py")
)
HELD = [process for process in COVERAGE["PROCESSES"] if process.held]

usd = st.floats(-1e6, 1e6, allow_subnormal=False)
days = st.lists(usd, min_size=LEAST_DAYS, max_size=40)


@pytest.mark.slow
@pytest.mark.parametrize("process", HELD, ids=lambda process: process.name)
def test_ninety_percent_intervals_cover_from_two_weeks(process):
    """88 to 93 % of them hold the known truth, on every process that is promised: no
    share of so many trials says otherwise."""
    _, low, high = COVERAGE["coverage"](process, 14, trials=700).share()

    assert low <= 0.93 and high >= 0.88


@given(daily=st.lists(usd, max_size=LEAST_DAYS - 1))
def test_under_a_week_there_is_no_figure(daily):
    """Six days do not say what a month costs."""
    assert monthly(daily) is None


@given(daily=days, confidence=st.sampled_from([0.5, 0.9, 0.99]))
def test_the_interval_holds_the_mean(daily, confidence):
    """Low, mean and high stand in this order, whatever the days were."""
    found = monthly(daily, confidence=confidence)

    low, high, said = found.interval
    assert low <= found.mean_usd_month <= high
    assert said == confidence


@given(daily=days)
def test_more_confidence_is_a_wider_interval(daily):
    """The 95 % interval contains the 80 % one."""
    narrow = monthly(daily, confidence=0.8).interval
    wide = monthly(daily, confidence=0.95).interval
    slack = 1e-6 * (abs(narrow.low) + abs(narrow.high))

    assert wide.low <= narrow.low + slack
    assert wide.high >= narrow.high - slack


@given(daily=days, times=st.sampled_from([2.0**-20, 0.5, 1024.0]))
def test_dollars_and_cents_say_the_same(daily, times):
    """Every value times so many is every figure times so many."""
    one, other = monthly(daily), monthly([value * times for value in daily])
    largest = max(map(abs, daily)) * times

    assert other.mean_usd_month == pytest.approx(one.mean_usd_month * times, abs=1e-9)
    assert other.interval[:2] == pytest.approx(
        [end * times for end in one.interval[:2]], rel=1e-5, abs=1e-6 * largest
    )


@given(daily=days)
def test_a_cost_is_a_saving_turned_round(daily):
    """With every sign changed, the ends change places."""
    one, other = monthly(daily), monthly([-value for value in daily])
    largest = max(map(abs, daily))

    assert [-other.interval.high, -other.interval.low] == pytest.approx(
        one.interval[:2], rel=1e-5, abs=1e-6 * largest
    )


@pytest.mark.parametrize("value", [0.0, 3.5, -0.1])
@pytest.mark.parametrize("n", [7, 13, 14, 30])
def test_days_that_never_vary_leave_no_doubt(value, n):
    """The same every day is 30 times that, to the cent."""
    found = monthly([value] * n)

    assert found.mean_usd_month == pytest.approx(30 * value)
    assert found.interval[:2] == pytest.approx((30 * value, 30 * value))


def test_a_saving_on_every_day_has_a_positive_interval():
    """What was never below nothing is not said to be, however it varies."""
    found = monthly([0.0, 0.1, 9.0, 0.0, 4.0, 0.2, 0.1, 12.0])

    assert found.interval.low > 0


def test_a_weekly_rhythm_is_not_noise():
    """From two weeks on, quiet weekends do not widen the interval."""
    weeks = [10.0, 11, 9, 10, 12, 2, 1, 11, 10, 10, 9, 11, 1, 2]
    found = monthly(weeks)

    assert found.interval.high - found.interval.low < 0.2 * found.mean_usd_month


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_day_that_is_no_number_is_refused(odd):
    """A figure that cannot be is not averaged away."""
    with pytest.raises(ValueError, match="finite"):
        monthly([1.0] * 7 + [odd])


@pytest.mark.parametrize("confidence", [0, 1, 1.5])
def test_a_confidence_is_a_share(confidence):
    """90 means nothing; 0.9 does."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        monthly([1.0] * 7, confidence=confidence)


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

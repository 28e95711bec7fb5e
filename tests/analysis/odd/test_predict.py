"""What an hour will be, from those before it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.odd.grid import span_of
from lectr_lab.analysis.odd.predict import Clock, expected, trailing

HOURS = 24 * 28
UTC_CLOCK = Clock(np.zeros(HOURS, np.int64))


def rhythm(hours=HOURS):
    return (100 + 80 * np.cos(2 * np.pi * np.arange(hours) / 24))[None, :]


@given(
    width=st.integers(1, 30),
    lag=st.integers(0, 8),
    values=st.lists(st.integers(0, 9), min_size=1, max_size=40),
)
def test_a_trailing_sum_is_the_sum_of_what_trails(width, lag, values):
    """Of each hour: so many hours, that end so many before it."""
    found = trailing(np.array([values], float), width, lag)[0]

    for hour, total in enumerate(found):
        end = hour + 1 - lag
        assert total == sum(values[max(end - width, 0) : max(end, 0)])


@given(hour=st.integers(200, HOURS - 1), lag=st.sampled_from([0, 1, 6]))
def test_nothing_is_foretold_from_what_comes_later(hour, lag):
    """What an hour and those after it show does not change what was expected of it."""
    seen, total = np.ones((1, HOURS)), rhythm()
    other = total.copy()
    other[:, hour - lag :] = 7

    for counts in (True, False):
        was, now = (
            expected(t, seen, clock=UTC_CLOCK, lag=lag, counts=counts)[0]
            for t in (total, other)
        )
        assert np.array_equal(was[:, : hour + 1], now[:, : hour + 1])


def test_a_daily_rhythm_is_learned_in_a_week():
    """From the second week on, an hour of the day is expected as it was."""
    total = rhythm()

    found, _ = expected(total, np.ones_like(total), clock=UTC_CLOCK, counts=True)

    assert found[0, 24 * 9 :] == pytest.approx(total[0, 24 * 9 :], rel=0.07)


def test_a_rhythm_that_goes_by_the_clock_survives_the_end_of_summer_time():
    """Where clocks go back, the same hour of the wall is an hour later in UTC."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 5, tzinfo=UTC)  # they go back on 25 October
    span = span_of(start, start + timedelta(hours=HOURS), zone)
    moments = [start + timedelta(hours=h) for h in range(HOURS)]
    local = np.array([at.astimezone(zone).hour for at in moments])
    total = np.where((local >= 8) & (local < 18), 200.0, 5.0)[None, :]
    seen = np.ones_like(total)

    by_wall, _ = expected(total, seen, clock=span.clock, counts=True)
    by_utc, _ = expected(total, seen, clock=UTC_CLOCK, counts=True)

    after = slice(24 * 21, 24 * 22)
    edge = np.isin(local[after], (7, 17))  # one hour beside each step
    assert np.abs(by_wall - total)[0, after][edge].max() < 70
    assert np.abs(by_utc - total)[0, after][edge].max() > 70


@settings(max_examples=20)
@given(seed=st.integers(0, 99), lag=st.sampled_from([0, 1, 6]))
def test_a_clock_that_is_yet_to_jump_is_as_one_that_never_does(seed, lag):
    """To the last bit, until it does: hours are then looked up in another way."""
    rng = np.random.default_rng(seed)
    total, seen = rng.poisson(9.0, (2, HOURS)) * 1.0, rng.random((2, HOURS)) > 0.1
    offsets = np.zeros(HOURS, np.int64)
    offsets[-1] = 1

    for counts in (True, False):
        never, yet = (
            expected(total * seen, seen * 1.0, clock=clock, lag=lag, counts=counts)[0]
            for clock in (UTC_CLOCK, Clock(offsets))
        )
        assert np.array_equal(never[:, :-1], yet[:, :-1])

"""Which steps of time are whole."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.cells.spans import (
    DAY,
    QUARTER,
    begins_day,
    begins_month,
    beside_steps,
    days_cut,
    whole_steps,
)
from lectr_lab.analysis.views.selection import Period

moments = st.integers(0, 4 * 96 * 15).map(
    lambda minutes: datetime(2026, 10, 30, tzinfo=UTC) + timedelta(minutes=minutes)
)
ends = st.none() | moments


@given(ends, ends, moments, st.sampled_from([QUARTER, DAY]))
def test_each_moment_is_in_a_whole_step_or_beside_them(first, end, at, step):
    """And in one of these alone, where it is in the time at all."""

    def within(some):
        begins, stops = some
        return (begins is None or begins <= at) and (stops is None or at < stops)

    when = Period(first, end)
    found = [within(some) for some in beside_steps(when, step)]

    assert sum([within(whole_steps(when, step)), *found]) == within(when)


@given(ends, ends)
def test_a_day_is_cut_where_an_end_is_within_it(first, end):
    """Midnight cuts none; of a month, its first midnight alone."""
    some = {at for at in (first, end) if at is not None}
    midnight = {at for at in some if (at.hour, at.minute) == (0, 0)}

    assert days_cut(Period(first, end), begins_day) == {
        at.date() for at in some - midnight
    }
    firsts = {at for at in midnight if at.day == 1}
    assert days_cut(Period(first, end), begins_month) == {
        at.date() for at in some - firsts
    }

"""Windows: every moment is in one, and they follow each other without a gap."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.windows import RUN, told_moment, window_of

# Havana and Beirut change their clocks at midnight, Apia left a whole day out.
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Pacific/Apia")
ZONES += ("America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu")


@given(
    st.sampled_from(["day", "week", "month"]),
    st.sampled_from(ZONES),
    st.floats(0, 4e9),
)
def test_a_moment_is_in_its_window_and_the_next_begins_where_it_ends(per, tz, at_s):
    """Whatever clocks do at midnight."""
    window = window_of(per, tz, at_s)

    assert window.has(at_s)
    assert window_of(per, tz, window.start_s) == window
    assert window_of(per, tz, window.end_s).start_s == window.end_s
    assert not window.has(window.end_s)


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)]
)
def test_a_day_has_the_hours_it_has(day, hours):
    """Where clocks change, 23 or 25."""
    noon_s = datetime(*day, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    window = window_of("day", "Europe/Berlin", noon_s)

    assert (window.end_s - window.start_s) / 3600 == hours


def test_midnight_is_the_zones():
    """A second before it is still the day before."""
    midnight_s = datetime(2026, 12, 1, tzinfo=ZoneInfo("America/New_York")).timestamp()
    before, after = (
        window_of("month", "America/New_York", midnight_s + s) for s in (-1, 0)
    )

    assert (before.end_s, after.start_s) == (midnight_s, midnight_s)
    assert told_moment(midnight_s, "America/New_York").startswith("2026-12-01 00:00")


def test_weeks_begin_on_monday():
    """In any zone."""
    starts = {
        window_of("week", "Asia/Tokyo", 1_790_000_000.0 + 86_400 * day).start_s
        for day in range(21)
    }
    told = [datetime.fromtimestamp(s, ZoneInfo("Asia/Tokyo")) for s in sorted(starts)]

    assert {at.weekday() for at in told} == {0}
    assert {(b - a).days for a, b in pairwise(told)} == {7}


def test_a_run_has_no_end():
    """And so no moment at which it begins anew."""
    assert window_of("run", "UTC", datetime.now(UTC).timestamp()) == RUN
    assert told_moment(RUN.end_s, "UTC") == ""

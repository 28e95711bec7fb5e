"""One series of days: its calendar, and what it leads to."""

from datetime import date, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.forecast.outlook import (
    Calendar,
    calendar_of,
    outlook,
    when_reached,
)

LAST = date(2026, 11, 15)  # a Sunday
STEADY = {LAST - timedelta(days=n): 1.0 for n in range(14)}


def calendar(usd=None, period="month") -> Calendar:
    return Calendar(min(STEADY), LAST, LAST, usd, period)


def test_periods_end_with_their_last_day():
    """Weeks with Sunday, months as the calendar has it."""
    ends = [calendar().end_of(period) for period in ("day", "week", "month")]
    begins = [calendar().begin_of(period) for period in ("day", "week", "month")]

    assert ends == [LAST, LAST, date(2026, 11, 30)]
    assert begins == [LAST, date(2026, 11, 9), date(2026, 11, 1)]


def test_two_days_are_none_that_was_seen_whole():
    """Nobody knows when a day begins of a log so short."""
    edges = pl.DataFrame(
        {"day": [LAST - timedelta(days=1), LAST], "first_us": 0, "last_us": 1}
    )

    found = calendar_of(edges)

    assert (found.last, found.today) == (LAST, LAST)
    assert found.first > found.last


def test_a_budget_is_reached_when_its_outlook_says():
    """The day does not depend on what else is asked of the series."""
    of_month = calendar(usd=20.5)

    assert (
        when_reached(STEADY, of_month, 0.9)
        == outlook((), STEADY, of_month, 0.9).budget
        is not None
    )
    assert when_reached(STEADY, calendar(), 0.9) is None


def test_where_nothing_was_spent_nothing_is_foretold():
    """Not even that a budget holds."""
    reached = when_reached({}, calendar(usd=5), 0.9)

    assert reached is not None
    assert (reached.spent_usd, reached.chance) == (pytest.approx(0), None)

"""What a view asks of a log, and whether cells know it."""

from datetime import UTC, datetime

import pytest

from lectr_lab.analysis.cells.asked import Asked, can_say
from lectr_lab.analysis.views.selection import Period, Selection

WITHIN_A_DAY = Period(datetime(2026, 11, 2, 7, 7, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("asked", "selected", "known"),
    [
        (Asked(frozenset({"org", "model", "hour"})), Selection(), True),
        (Asked(frozenset({"user"})), Selection(), False),
        (Asked(steps=("15m", "1mo")), Selection(), True),
        (Asked(steps=("7m",)), Selection(), False),
        (Asked(frozenset({"status"})), Selection(), False),
        (Asked(frozenset({"status"}), failures=True), Selection(), True),
        (Asked(), Selection(when=WITHIN_A_DAY), True),
        (Asked(ends=True), Selection(), True),
        (Asked(ends=True), Selection(when=WITHIN_A_DAY), False),
    ],
)
def test_cells_know_names_and_quarters_of_an_hour(asked, selected, known):
    """No person or session, no finer step; of failures more than of others; and when
    the first request was of whole days alone."""
    assert can_say(asked, selected) is known


def test_who_asks_for_no_step_asks_for_no_time():
    """A step or a column that tells days apart does."""
    told = [Asked(), Asked(steps=("1d",)), Asked(frozenset({"day"}))]

    assert [one.is_at_any_time for one in told] == [True, False, False]


def test_days_are_those_of_utc():
    """Of no other time zone, and no step within a day."""
    told = [Asked(steps=("1w",)), Asked(steps=("1d",), tz="Asia/Tokyo")]
    told.append(Asked(steps=("6h",)))

    assert [one.is_by_day for one in told] == [True, False, False]


def test_a_wider_answer_covers_a_narrower_question():
    """With as many columns and steps, of one time zone; never when it began."""
    wide = Asked(frozenset({"org", "feature"}), ("1d",))

    assert wide.covers(Asked(frozenset({"org"})))
    assert not wide.covers(Asked(frozenset({"task"})))
    assert not wide.covers(Asked(ends=True))

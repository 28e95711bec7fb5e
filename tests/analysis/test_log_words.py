"""Which part of a folder's log is meant."""

from datetime import UTC, date, datetime

from lectr_lab.analysis.log_words import all_rows, words
from lectr_lab.analysis.views.selection import Period, Selection


def test_names_and_times_are_said():
    """The first three of many names."""
    some = Selection(
        (("feature", tuple("abcd")),), Period(datetime(2026, 11, 2, tzinfo=UTC))
    )

    said = words(date(2026, 11, 2), some)

    assert said[0] == "files of 2026-11-02"
    assert said[1:] == ["feature a, b, c and 1 more", "from 2026-11-02 00:00 UTC"]


def test_rows_are_all_or_those_of_a_day():
    """As of what is read."""
    assert all_rows(None) == "All rows."
    assert all_rows(date(2026, 11, 2)) == "All rows of 2026-11-02."

"""The newest days of a log."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.cells.newest import day_ends, newest_rows

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def rows() -> pl.LazyFrame:
    """Three of a first day, two of the next and one of the last."""
    after_h = [0, 1, 2, 24, 25, 48]
    return pl.LazyFrame({"started_at": [START + timedelta(hours=h) for h in after_h]})


@pytest.mark.parametrize(
    ("most", "day", "n"), [(6, None, 6), (5, 3, 3), (3, 3, 3), (2, 4, 1), (0, 4, 1)]
)
def test_whole_days_are_taken(rows, most, day, n):
    """As many as there is room for, and the newest in any case."""
    found = newest_rows(rows, most)

    assert found.since == (day and datetime(2026, 11, day, tzinfo=UTC))
    assert found.rows.collect().height == n


def test_an_empty_log_has_no_days(rows):
    """All of nothing."""
    assert newest_rows(rows.head(0), 5).since is None


def test_days_begin_and_end(rows):
    """In their zone."""
    days = day_ends(rows, "Asia/Tokyo").collect()

    assert days["day"].dt.day().to_list() == [2, 3, 4]
    assert days["first"][0] == START and days["last"][0] == START + timedelta(hours=2)

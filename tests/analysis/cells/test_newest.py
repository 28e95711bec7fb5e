"""The newest rows of a log."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.cells.newest import counts, day_ends, newest_end

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def rows() -> pl.LazyFrame:
    """Three of a first day, two of the next and one of the last."""
    after_h = [0, 1, 2, 24, 25, 48]
    return pl.LazyFrame({"started_at": [START + timedelta(hours=h) for h in after_h]})


@pytest.mark.parametrize(
    ("most", "first", "n"),
    [(6, 0, 6), (5, 24, 3), (3, 24, 3), (2, 48, 1), (0, 48, 1)],
)
def test_whole_days_are_taken(rows, most, first, n):
    """As many as there is room for; of none, the newest rows in any case."""

    def finer(step, first):
        return counts(rows.filter(pl.col("started_at") >= first), step)

    end = newest_end(counts(rows, "1d"), finer, most)

    begins = START + timedelta(hours=first)
    since = begins if most == 0 else begins.replace(hour=0)
    assert end == (since, n, n == 6)


def test_days_begin_and_end(rows):
    """In their zone."""
    days = day_ends(rows, "Asia/Tokyo").collect()

    assert days["day"].dt.day().to_list() == [2, 3, 4]
    assert days["first"][0] == START and days["last"][0] == START + timedelta(hours=2)

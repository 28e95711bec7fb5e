"""Where the cells come from."""

from datetime import UTC, datetime, timedelta

import polars as pl
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.odd.source import source
from lectr_lab.resources import shipped_traffic


def test_a_folder_of_parts_gives_what_its_log_gives():
    """The shipped traffic, by name and as a frame."""
    named = lectr.odd(shipped_traffic())

    assert_frame_equal(named.incidents, lectr.odd(lectr.demo_log()).incidents)


def test_without_a_log_it_is_the_own_one(tmp_path, monkeypatch):
    """And made-up traffic where that has no request yet."""
    monkeypatch.setenv("LECTR_LAB", str(tmp_path / "lab"))
    monkeypatch.chdir(tmp_path)

    assert_frame_equal(lectr.odd().incidents, lectr.odd(lectr.demo_log()).incidents)


def test_what_comes_after_now_is_not_looked_at(made_up):
    """A record can be cut anywhere."""
    log = made_up(days=3)
    now = datetime(2026, 10, 6, 12, tzinfo=UTC)

    found = lectr.odd(log, now=now)

    assert found.looked.cells["at"].max() < now


def test_few_days_of_a_lab_are_read_by_themselves():
    """And have every event of the time that was asked for; of many, the log is given."""
    given = source(shipped_traffic(), by="feature", org=None, now=None, prices=None)
    first = datetime(2026, 11, 3, 5, tzinfo=UTC)
    last = first + timedelta(hours=30)
    inside = pl.col("started_at").is_between(first, last)

    few = given.between(first, last)

    assert_frame_equal(
        few.filter(inside).select("event_id", "cost_usd").collect(),
        given.log.filter(inside).select("event_id", "cost_usd").collect(),
        check_row_order=False,
    )
    assert given.between(first, first + timedelta(days=20)) is given.log

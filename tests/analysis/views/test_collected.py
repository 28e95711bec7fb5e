"""Queries over a whole log, run in memory that follows their answers."""

import polars as pl
from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.analysis.views.collected import collected


def test_it_is_what_any_collecting_gives():
    """The same rows, of a query that reads the log twice too."""
    log = lectr.demo_log()
    both = pl.concat(
        [log.filter(pl.col("cost_usd") > 0.01), log.filter(pl.col("cost_usd") > 0.1)]
    )

    assert_frame_equal(collected(both), both.collect(), check_row_order=False)


def test_what_is_read_twice_is_not_kept(monkeypatch):
    """The log would be kept whole for the second reading."""
    asked = {}
    monkeypatch.setattr(pl.LazyFrame, "collect", lambda _, **how: asked.update(how))

    collected(lectr.demo_log())

    assert asked["engine"] == "streaming"
    assert not asked["optimizations"].comm_subplan_elim

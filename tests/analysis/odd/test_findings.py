"""Looks that are rare enough to matter."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl
from odd_traffic import DAY, START, Fault, as_log, feature, requests
from polars.testing import assert_frame_equal

from lectr_lab.analysis.odd.findings import judge
from lectr_lab.analysis.odd.grid import grids, joined, span_of
from lectr_lab.analysis.odd.source import counted


def grid_of(rows, days):
    now = START + timedelta(days=days)
    cells = counted(as_log(rows), "feature", None, now)
    [grid] = grids(cells, ("org", "feature"), span_of(START, now, ZoneInfo("UTC")))
    return grid


def test_an_incident_is_no_history():
    """A second outage is as rare as the first, though the first is in the past week."""
    what = feature(4, 100.0)
    faults = [Fault("errors", 0.4, d * DAY + 96, d * DAY + 120) for d in (8, 9)]
    rows = requests(what, 10 * DAY)
    for fault in faults:
        with_fault = requests(what, 10 * DAY, fault)
        at = pl.col("started_at").is_between(
            START + timedelta(minutes=5 * fault.first),
            START + timedelta(minutes=5 * fault.last),
            closed="left",
        )
        rows = pl.concat([rows.filter(~at), with_fault.filter(at)])

    found = judge([grid_of(rows, 10)], 0.3)

    errors = found.looks.filter(pl.col("kind") == "errors", pl.col("window") == 12)
    for fault in faults:
        inside = errors.filter(pl.col("cell").is_between(fault.first, fault.last))
        assert inside["rate"].min() < 1e-3
    hours = slice(faults[0].first // 12, faults[0].last // 12)
    assert not found.seen[0, hours].any()


def test_what_lasts_a_day_is_the_new_normal():
    """A model that stays is told of for a day, and then no more."""
    fault = Fault("new model", 1.0, 8 * DAY, 12 * DAY)
    rows = requests(feature(4, 100.0), 12 * DAY, fault)

    found = judge([grid_of(rows, 12)], 0.3).looks

    cells = found.filter(pl.col("kind") == "models", pl.col("rate") <= 0.3)["cell"]
    assert cells.min() < 8 * DAY + 3
    assert 9 * DAY - 12 <= cells.max() < 10 * DAY + 72


def test_nothing_is_judged_in_the_first_48_hours():
    """However wild they are."""
    fault = Fault("errors", 1.0, DAY, 2 * DAY)

    assert judge(
        [grid_of(requests(feature(4, 100.0), 2 * DAY, fault), 2)], 10
    ).looks.is_empty()


def test_series_are_judged_as_each_alone():
    """In one block or in several, with or without incidents: they do not touch."""
    fault = Fault("latency", 3.0, 8 * DAY, 8 * DAY + 72)
    drawn = [
        requests(feature(n, 50.0), 9 * DAY, None if n % 2 else fault) for n in range(4)
    ]
    blocks = [grid_of(pl.concat(drawn[:3]), 9), grid_of(drawn[3], 9)]
    every = judge(blocks, 0.3)
    one = judge([joined(blocks)], 0.3)

    order = ["series", "kind", "window", "cell"]
    assert_frame_equal(every.looks.sort(order), one.looks.sort(order), rel_tol=1e-6)
    for n, rows in enumerate(drawn):
        alone = judge([grid_of(rows, 9)], 0.3)
        mine = every.looks.filter(pl.col("series") == n)
        mine = mine.with_columns(series=pl.lit(0, pl.Int64))
        assert_frame_equal(mine.sort(order), alone.looks.sort(order), rel_tol=1e-6)
        assert every.series.row(n) == alone.series.row(0)
        assert (every.seen[n] == alone.seen[0]).all()

"""Cells as arrays."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from odd_traffic import DAY, START, Fault, as_log, feature, requests

import lectr_lab as lectr
from lectr_lab.analysis.odd import grid as gridding
from lectr_lab.analysis.odd.grid import JUDGED, grids, span_of
from lectr_lab.analysis.odd.source import counted

KEYS = ("org", "feature")


def test_the_arrays_hold_what_the_cells_do():
    """Every sum that is judged, in its place; and each model of a series that has several."""
    drawn = [requests(feature(n, 30.0), DAY) for n in range(30)]
    now = START + timedelta(days=1)
    cells = counted(as_log(pl.concat(drawn)), "feature", None, now)
    span = span_of(START, now, ZoneInfo("UTC"))

    found = list(grids(cells, KEYS, span))

    assert sum(grid.series.height for grid in found) == 30
    for name in JUDGED:
        total = sum(float(grid.sums[name].sum()) for grid in found)
        assert abs(total - cells[name].sum()) <= 1e-6 * max(1.0, total)
    for grid in found:
        for place in range(grid.series.height):
            mine = grid.asked[grid.owner == place]
            if len(mine):
                assert mine.sum() == grid.sums["n"][place].sum()


def test_a_cell_that_has_just_begun_counts_as_the_part_that_has_passed():
    """The open minutes are judged, by as much of them as there was."""
    span = span_of(START, START + timedelta(minutes=12), ZoneInfo("UTC"))

    assert span.exposure[:4].tolist() == pytest.approx([1, 1, 0.4, 0])
    assert span.last == 2
    assert span.at(span.last) == START + timedelta(minutes=10)


def test_however_few_series_are_looked_at_at_once_the_same_is_odd(made_up, monkeypatch):
    """To the bit: arrays of fewer series are smaller, and say what they said."""
    fault = Fault("errors", 0.5, 8 * DAY + 96, 8 * DAY + 120)
    log = made_up(features=3, days=9, fault=fault)
    found = lectr.odd(log).incidents

    monkeypatch.setattr(gridding, "_MOST_PLACES", 1)

    assert found.height
    assert lectr.odd(log).incidents.equals(found)


def test_cells_in_any_order_make_the_same_arrays():
    """In order they are made sooner."""
    drawn = [requests(feature(n, 30.0), DAY) for n in range(3)]
    now = START + timedelta(days=1)
    cells = counted(as_log(pl.concat(drawn)), "feature", None, now)
    mixed = cells.sample(fraction=1.0, shuffle=True, seed=1)
    span = span_of(START, now, ZoneInfo("UTC"))

    [some], [other] = grids(cells, KEYS, span), grids(mixed, KEYS, span)

    assert some.series.equals(other.series) and some.models.equals(other.models)
    assert (some.asked == other.asked).all()
    for name in JUDGED:
        assert other.sums[name] == pytest.approx(some.sums[name])

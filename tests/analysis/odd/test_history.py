"""Looks at windows."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from odd_traffic import DAY, START, as_log, feature, requests

from lectr_lab.analysis.odd.grid import grids, span_of
from lectr_lab.analysis.odd.history import WINDOWS, History, since_first
from lectr_lab.analysis.odd.source import counted


@pytest.fixture(scope="module")
def history():
    """Two days and a half, and two minutes, of one feature."""
    now = START + timedelta(days=2, hours=12, minutes=2)
    rows = requests(feature(1, 60.0), 3 * DAY)
    cells = counted(as_log(rows), "feature", None, now)
    [grid] = grids(cells, ("org", "feature"), span_of(START, now, ZoneInfo("UTC")))
    return History(grid, since_first(grid))


@pytest.mark.parametrize("window", WINDOWS)
def test_a_look_adds_up_the_cells_of_its_window(history, window):
    """Those that end with its own cell."""
    n = history.grid.sums["n"][0]

    found = history.looks("n", window).ravel()

    for end, total in zip(history.ends(window), found, strict=True):
        assert total == n[max(end + 1 - window, 0) : end + 1].sum()


@pytest.mark.parametrize("window", WINDOWS)
def test_the_last_look_is_now(history, window):
    """Whatever the steps of a window are, the cell that is open is looked at."""
    assert history.ends(window)[-1] == history.grid.span.last


def test_requests_of_an_open_cell_are_expected_in_part(history):
    """Two minutes of five."""
    cell = np.searchsorted(history.ends(1), history.grid.span.last)
    looks = history.requests(1).ravel()

    assert looks[cell] == pytest.approx(0.4 * history.rate(0)[0, -1] / 12)

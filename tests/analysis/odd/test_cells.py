"""A log in cells."""

from datetime import date, timedelta
from math import log

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.odd.cells import SUMS, cells, durations, slow_limits
from lectr_lab.analysis.pricing.priced import priced

MODEL = ["org", "feature", "at", "provider", "model"]


def counted(log, limits):
    return cells(log, limits.lazy()).collect().sort(MODEL)


def limits_of(log):
    took = durations(log).collect()
    days = [date(2026, 11, 2) + timedelta(days=n) for n in range(15)]
    return slow_limits(took, days)


@pytest.fixture(scope="module")
def whole_log(traffic):
    """The made-up traffic with its costs and numbered, its limits, and its cells."""
    log = priced(traffic).collect().with_row_index("row")
    limits = limits_of(log.lazy())
    return log, limits, counted(log.lazy(), limits)


@given(cut=st.integers(0, 3000), step=st.integers(2, 40))
def test_cells_of_parts_add_up_to_the_cells_of_the_whole(whole_log, cut, step):
    """However a log is parted, its cells are the same."""
    log, limits, whole = whole_log
    parts = pl.col("row") < cut, (pl.col("row") >= cut) & (pl.col("row") % step > 0)
    rest = ~(parts[0] | parts[1])
    some = pl.concat(counted(log.lazy().filter(p), limits) for p in (*parts, rest))

    added = some.group_by(MODEL).agg(pl.col(*SUMS).sum()).sort(MODEL)

    sums = whole.select(added.columns)
    assert_frame_equal(added, sums, rel_tol=1e-7, abs_tol=1e-13)


def test_a_cell_counts_what_its_rows_say(log_of, event, failed):
    """Requests, failures, dollars and logarithms of what succeeded."""
    log = priced(log_of([event(), event(total_ms=200.0), failed()]))

    [cell] = counted(log, limits_of(log)).to_dicts()

    assert (cell["n"], cell["errors"], cell["ok"]) == (3, 1, 2)
    assert cell["latency_n"] == 2
    assert cell["latency_sum"] == pytest.approx(log_ms(100) + log_ms(200))
    assert cell["input_tokens"] == 2000
    assert cell["cost_usd"] == pytest.approx(priced(log).collect()["cost_usd"].sum())


def log_ms(ms):
    return log(ms)


def test_slow_is_what_is_slower_than_the_week_before(log_of, event):
    """The limit is the p95 of the seven days before, to 2 %; without these none."""
    start = event().started_at
    day = timedelta(days=1)
    before = [event(total_ms=float(n), started_at=start) for n in range(1, 101)]
    today = [event(total_ms=ms, started_at=start + day) for ms in (90.0, 99.0, 500.0)]
    log = priced(log_of([*before, *today]))

    found = counted(log, limits_of(log))

    assert found.sort("at")["over"].to_list() == [0, 2]
    [limit] = limits_of(log).filter(pl.col("day") == date(2026, 11, 3))["limit"]
    assert log_ms(95) <= limit <= log_ms(95) + 0.02


@pytest.mark.parametrize("by", ["provider", "model", "client", "user", "session"])
def test_a_series_may_be_another_column(log_of, event, by):
    """What is missing has a name."""
    log = priced(log_of([event(), event(provider=None, model_actual=None)]))
    took = durations(log, by).collect()

    found = cells(log, slow_limits(took, [], by).lazy(), by).collect()

    assert found["n"].sum() == 2
    assert found[by].null_count() == 0


def test_an_empty_log_has_no_cells(log_of):
    """But their columns."""
    log = priced(log_of([]))

    found = counted(log, limits_of(log))

    assert found.height == 0
    assert set(SUMS) < set(found.columns)

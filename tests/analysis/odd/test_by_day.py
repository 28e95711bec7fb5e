"""Cells of a log of any length, counted as its rows come."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from lectr_lab.analysis.odd.by_day import (
    Days,
    cells_by_day,
    durations_by_day,
    in_order,
    small,
)
from lectr_lab.analysis.odd.cells import (
    COUNTS,
    SUMS,
    added,
    cells,
    durations,
    slow_limits,
)
from lectr_lab.analysis.odd.source import counted, days_of
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import added_up

SERIES = ["org", "feature"]
OWN = [*SERIES, "provider", "model"]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
N = pl.col("n").cast(pl.Int64).sum()


def as_text(some):
    """The same with texts for numbers of texts, and wide numbers."""
    counts = pl.col(name for name in COUNTS if name in some.columns)
    return some.with_columns(
        pl.col(pl.Categorical).cast(pl.String), counts.cast(pl.Float64)
    )


@pytest.mark.parametrize("by", ["feature", "model", ["client", "task"]])
def test_counted_by_day_is_counted_in_a_query(traffic, by):
    """To the bit: however many threads add up, and whatever they do first."""
    log = priced(traffic)
    took = durations(log, by).collect()
    limits = slow_limits(took, days_of(took), by)

    by_day = durations_by_day(log, by)
    found = cells_by_day(log, limits, by)

    names = took.columns
    same = as_text(by_day).select(pl.col(n).cast(took.schema[n]) for n in names)
    assert_frame_equal(same.sort(names), took.sort(names), check_exact=True)
    whole = cells(log, limits.lazy(), by).collect()
    keys = [name for name in whole.columns if name not in SUMS]
    told = as_text(found).select(whole.columns)
    assert_frame_equal(told.sort(keys), whole.sort(keys), check_exact=True)


@pytest.mark.parametrize("rows", [300, 1_100])
def test_however_rows_come_their_cells_are_the_same(traffic, monkeypatch, rows):
    """To the bit: a batch after another of any size, from the first day on or not."""
    log = priced(traffic).collect()
    whole = counted(log.lazy(), "feature", None, NOW)
    monkeypatch.setattr(added_up, "BATCH_ROWS", rows)
    mixed = log.sample(fraction=1.0, shuffle=True, seed=rows)

    for some in (log, log.reverse(), mixed):
        assert counted(some.lazy(), "feature", None, NOW).equals(whole)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(1, 10**6)),
        max_size=20,
    ),
    size=st.integers(2, 9),
)
def test_groups_of_days_add_up(rows, size):
    """Of any parts in any order, each number no wider than it must be."""
    first = date(2026, 11, 1)
    days = Days(["who"], [N], ["n"])
    for begin in range(0, len(rows) + 1, size):
        some = pl.DataFrame(
            rows[begin : begin + size],
            {"day": pl.Int64, "who": pl.String, "n": pl.Int64},
            orient="row",
        ).with_columns(day=first + pl.duration(days="day"))
        days.add(some.group_by("day", "who").agg(pl.col("n").sum()))

    none, *found = days.taken()

    assert none.height == 0 and none.columns == ["who", "n"]
    assert [dict(some.rows()) for some in found] == [
        {
            who: sum(n for on, name, n in rows if (on, name) == (day, who))
            for who in {name for on, name, _ in rows if on == day}
        }
        for day in sorted({on for on, _, _ in rows})
    ]


def test_cells_are_in_order_and_small(traffic):
    """Each series and model together, by time, in a third of the bytes."""
    log = priced(traffic)

    found = counted(log, "feature", None, NOW)

    assert (
        as_text(found)
        .select(*OWN, "at")
        .equals(as_text(found).select(*OWN, "at").sort(*OWN, "at"))
    )
    assert found.estimated_size() / found.height < 160


def test_sums_of_sums_are_exact():
    """A hundred thousand answers of a cell add up without a digit that is rounded."""
    values = pl.Series("latency_sum", [20.0 + 2**-30] * 100_000)
    some = pl.DataFrame({name: [0] * 100_000 for name in SUMS}).with_columns(values)

    [found] = some.select(added())["latency_sum"]

    assert found == 100_000 * 20 + 100_000 * 2**-30


def test_days_that_were_kept_are_as_those_that_are_counted(traffic):
    """What lies in a file becomes the same small cells."""
    log = priced(traffic)
    took = durations(log).collect()
    limits = slow_limits(took, days_of(took))
    day = pl.col("started_at").dt.date()
    first = date(2026, 11, 2)
    kept = [
        cells(log.filter(day == first + timedelta(days=n)), limits.lazy()).collect()
        for n in range(14)
    ]

    found = in_order(map(small, kept), OWN)

    whole = cells_by_day(log, limits, "feature")
    assert found.select(whole.columns).equals(whole)

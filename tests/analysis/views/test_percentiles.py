"""Exact percentiles, binned ones, and which of them a log gets."""

from functools import reduce

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.stats import binom

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import percentiles
from lectr_lab.analysis.views.health import latency
from lectr_lab.analysis.views.percentiles import with_percentiles
from lectr_lab.analysis.views.summary import summary, totals
from lectr_lab.log.schema import frame


def test_a_log_is_ranked_exactly_up_to_a_number_of_rows(traffic, monkeypatch):
    """And from bins above; the result says which, in every view that has percentiles."""
    log = priced(traffic)
    views = [latency, summary, totals]
    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 3000)
    few = [set(view(log).collect()["percentiles"]) for view in views]

    monkeypatch.setattr(percentiles, "MOST_EXACT_ROWS", 2999)
    many = [set(view(log).collect()["percentiles"]) for view in views]

    assert few == [{"exact"}] * 3
    assert many == [{"binned"}] * 3


@pytest.mark.parametrize("view", [latency, summary, totals])
def test_either_can_be_asked_for(traffic, view):
    """The same columns and types, and all but the percentiles alike."""
    log = priced(traffic)

    exact = view(log, percentiles="exact").collect()
    binned = view(log, percentiles="binned").collect()

    assert exact.schema == binned.schema
    same = ["requests", "total_n"]
    keys = [name for name in ("org", "feature") if view is not totals]
    assert_frame_equal(
        exact.select(*keys, *same), binned.select(*keys, *same), check_row_order=False
    )


@pytest.mark.parametrize("by", ["total_ms", "event_id", "status", ["stream", "task"]])
@pytest.mark.parametrize("how", ["exact", "binned"])
def test_any_column_can_be_a_key(log_of, event, by, how):
    """A duration, bytes, a number, a flag; and no key changes its type."""
    log = log_of([event(total_ms=7.0), event(total_ms=7.0, org="b")])

    found = latency(log, by, percentiles=how).collect()

    assert found["total_n"].to_list() == [1, 1]
    names = [by] if isinstance(by, str) else by
    assert found.select(names).schema == log.select(names).collect_schema()


def test_a_binned_interval_is_the_exact_one_within_one_per_cent(log_of, event):
    """The same ranks; and null where the exact one is."""
    log = log_of([event(total_ms=float(ms)) for ms in range(1, 301)])
    ask = {"by": None, "intervals": True}

    exact = latency(log, **ask).collect().row(0, named=True)
    binned = latency(log, **ask, percentiles="binned").collect().row(0, named=True)

    ends = [name for name in exact if "_low_" in name or "_high_" in name]
    assert len(ends) == 24
    for name in ends:
        assert (binned[name] is None) == (exact[name] is None)
        if exact[name] is not None:
            assert binned[name] == pytest.approx(exact[name], rel=0.0101)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 400), percentile=st.sampled_from([50, 95, 99]))
def test_the_interval_of_a_percentile_holds_it_as_often_as_it_says(
    event, n, percentile
):
    """The ranks that bound it, against the exact binomial: 95 % within a whole rank."""
    log = frame([event(total_ms=float(rank)) for rank in range(1, n + 1)]).lazy()

    row = latency(log, None, intervals=True).collect().row(0, named=True)
    low = row[f"total_p{percentile}_low_ms"] or 0
    high = row[f"total_p{percentile}_high_ms"] or n + 1

    held = binom.cdf(high - 1, n, percentile / 100) - binom.cdf(
        low - 1, n, percentile / 100
    )
    assert held >= 0.95 - 0.005
    assert low <= row[f"total_p{percentile}_ms"] <= high


def test_few_requests_bound_nothing(log_of, event, failed):
    """An end that the data cannot give is null, not the largest seen."""
    log = log_of([event(total_ms=5.0), event(total_ms=6.0), failed(total_ms=999.0)])

    row = latency(log, intervals=True).collect().row(0, named=True)

    assert row["total_p95_high_ms"] is None
    assert row["ttft_p50_low_ms"] is None


def test_many_groups_of_like_keys_stay_apart(event, log_of):
    """Nulls, small numbers and hours: each combination has its own n and duration."""
    columns = {
        "status": pl.Series([None, *range(100)], dtype=pl.UInt16),
        "retry_count": pl.Series([None, *range(20)], dtype=pl.UInt16),
        "feature": pl.Series([None, "", "1", "2"]),
        "hour": pl.Series(range(3)),
    }
    groups = reduce(
        lambda left, right: left.join(right, how="cross"),
        (pl.LazyFrame({name: values}) for name, values in columns.items()),
    ).with_row_index("total_ms")
    schema = log_of([]).collect_schema()
    made = ["status", "retry_count", "total_ms"]
    log = (
        groups.join(log_of([event()]).drop("feature", *made), how="cross")
        .with_columns(pl.col(name).cast(schema[name]) for name in made)
        .with_columns(started_at=pl.col("started_at") + pl.duration(hours="hour"))
        .select(list(schema))
    )

    found = latency(log, ["status", "retry_count", "feature"], every="1h").collect()

    assert found.height == groups.collect().height
    assert set(found["total_n"]) == {1}
    assert set(found["total_p50_ms"]) == set(range(found.height))


@pytest.mark.parametrize("how", ["exact", "binned"])
def test_two_groups_of_one_number_stop_the_query(log_of, event, how):
    """Nothing is said of a group that cannot be told from another."""
    log = log_of([event()])
    sums = pl.LazyFrame({"org": ["local", "local"]})

    with pytest.raises(pl.exceptions.ComputeError, match="1:1"):
        with_percentiles(sums, log, [pl.col("org")], how).collect()

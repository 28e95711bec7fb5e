"""How slow and how reliable."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.views.health import errors, latency, wilson
from lectr_lab.core import intervals


def test_percentiles_come_with_their_n(log_of, event):
    """Linear between the two nearest, as DuckDB's quantile_cont and numpy say it."""
    log = log_of([event(feature="a", total_ms=float(ms)) for ms in range(1, 101)])

    [row] = latency(log).collect().to_dicts()

    assert (row["total_p50_ms"], row["total_n"]) == (50.5, 100)
    assert row["total_p95_ms"] == pytest.approx(95.05)
    assert row["total_p99_ms"] == pytest.approx(99.01)
    assert (row["ttft_p50_ms"], row["ttft_n"]) == (None, 0)


def test_failed_requests_and_shadows_never_enter_latency(log_of, event, failed):
    """A refusal after 1 ms does not make a feature fast."""
    log = log_of(
        [
            event(total_ms=500.0),
            failed(total_ms=1.0),
            event(outcome="client_disconnect", total_ms=2.0),
            event(kind="shadow", total_ms=3.0),
        ]
    )

    [row] = latency(log).collect().to_dicts()

    assert (row["total_p50_ms"], row["total_n"], row["requests"]) == (500.0, 1, 3)


def test_output_speed_is_tokens_by_time(log_of, event):
    """500 tokens in 2 s; requests without output have no speed."""
    log = log_of(
        [event(total_ms=2000.0), event(output_tokens=0), event(output_tokens=None)]
    )

    assert latency(log).collect()["output_tokens_per_s"].to_list() == [250.0]


def test_all_failed_is_no_latency_and_an_error_rate_of_one(log_of, failed):
    """Null, not 0 ms."""
    log = log_of([failed(feature="a"), failed(feature="a")])

    assert latency(log).collect()["total_p95_ms"].to_list() == [None]
    assert errors(log).collect()["error_rate"].to_list() == [1.0]


def test_a_client_that_left_is_not_an_error(log_of, event, failed):
    """It is counted apart, as retries are."""
    log = log_of(
        [event(outcome="client_disconnect"), event(retry_count=2), failed(), event()]
    )

    [row] = errors(log).collect().to_dicts()

    assert (row["requests"], row["errors"], row["error_rate"]) == (4, 1, 0.25)
    assert (row["client_disconnects"], row["retries"]) == (1, 1)


@given(data=st.data(), n=st.integers(1, 10_000))
def test_the_interval_is_the_one_of_a_single_share(data, n):
    """The expression and the function are one rule said twice."""
    hits = data.draw(st.integers(0, n))

    ends = pl.select(
        *(end.alias(str(i)) for i, end in enumerate(wilson(*map(pl.lit, (hits, n)))))
    )

    assert ends.row(0) == pytest.approx(intervals.wilson(hits, n), abs=1e-12)


def test_no_requests_have_no_interval(log_of, event):
    """A group of shadows alone: null, not NaN."""
    [row] = errors(log_of([event(kind="shadow")])).collect().to_dicts()

    assert (row["error_rate"], row["error_rate_low"], row["error_rate_high"]) == (
        None,
    ) * 3


@pytest.mark.parametrize("view", [latency, errors])
def test_an_empty_log_gives_an_empty_view(log_of, view):
    """No rows, the same columns."""
    assert view(log_of([])).collect().is_empty()


@pytest.mark.parametrize("kind", ["error_type", "error_source", "outcome", "status"])
def test_a_kind_of_failure_is_a_share_of_all_requests(log_of, event, failed, kind):
    """Else it would be all of its own, which says nothing."""
    some = [event() for _ in range(6)] + [failed() for _ in range(2)]
    log = log_of([*some, event(outcome="client_disconnect")])

    [row] = errors(log, by=kind).collect().to_dicts()

    assert (row["requests"], row["errors"]) == (9, 2)
    assert row["error_rate"] == pytest.approx(2 / 9)
    assert row["error_rate_low"] < 2 / 9 < row["error_rate_high"] < 1
    assert row["share_of_errors"] == 1.0


def test_kinds_of_failure_are_of_their_group_and_step(traffic):
    """The rates of a feature's kinds sum to that feature's rate, in each step."""
    keys = ["org", "feature", "time"]
    whole = errors(traffic, by="feature", every="1d").collect()

    kinds = errors(traffic, by=["feature", "error_type"], every="1d").collect()

    sums = kinds.group_by(keys).agg(
        pl.col("errors", "error_rate").sum(), pl.col("requests").max()
    )
    both = sums.join(whole, on=keys, suffix="_of_all")
    assert both.height == whole.filter(pl.col("errors") > 0).height
    for name in ("errors", "error_rate", "requests"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_of_all"].to_list())


def test_where_nothing_failed_there_is_no_kind(log_of, event):
    """No row, of one org alone too."""
    assert errors(log_of([event()]), by="error_type", org="local").collect().is_empty()

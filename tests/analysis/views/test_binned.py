"""Percentiles from counts in bins."""

import math
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.views.binned import RELATIVE_ERROR
from lectr_lab.analysis.views.health import latency
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import frame

binned_latency = partial(latency, percentiles="binned")

durations = st.lists(
    st.one_of(
        st.just(0.0), st.floats(0.001, 1e7), st.sampled_from([1.0, 1.0202, 99.999])
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(ms=durations)
def test_every_percentile_is_within_one_per_cent(event, ms):
    """Of the duration at its rank, whatever the durations are."""
    log = frame([event(total_ms=value) for value in ms]).lazy()

    found = binned_latency(log).collect().row(0, named=True)

    for percent in (50, 95, 99):
        exact = sorted(ms)[math.floor(percent / 100 * (len(ms) - 1))]
        error = RELATIVE_ERROR * (1 + 1e-9)
        assert found[f"total_p{percent}_ms"] == pytest.approx(exact, rel=error, abs=0)


def test_it_says_what_latency_says(traffic):
    """The same groups, the same n, and percentiles within 2 % on dense data."""
    exact = latency(traffic, "provider").sort("provider").collect()

    found = binned_latency(traffic, "provider").sort("provider").collect()

    assert found.columns == exact.columns
    assert set(found["percentiles"]) == {"binned"}
    for name in ("org", "provider", "requests", "total_n", "ttft_n"):
        assert found[name].to_list() == exact[name].to_list()
    for name in ("total_p50_ms", "ttft_p50_ms", "overhead_p50_ms"):
        assert found[name].fill_null(0).to_list() == pytest.approx(
            exact[name].fill_null(0).to_list(), rel=0.02
        )


def test_batches_add_up(monkeypatch, traffic):
    """However few rows are counted at a time, and however often they are added up."""
    whole = binned_latency(traffic, "model").sort("model").collect()
    monkeypatch.setattr("lectr_lab.analysis.views.binned._BATCH_ROWS", 3)

    found = binned_latency(traffic, "model").sort("model").collect()

    assert found.equals(whole)
    assert found["total_n"].sum() > 30


def test_days_orgs_and_null_keys_are_groups_as_ever(log_of, event, failed):
    """A request without a provider is one of its own; a failed one has no latency."""
    log = log_of([event(provider=None), event(), failed(provider="x"), event(org="b")])

    found = binned_latency(log, "provider", every="1d").collect()

    assert found.height == 4
    assert sorted(found["total_n"]) == [0, 1, 1, 1]
    assert found.filter(provider="x")["total_p50_ms"].to_list() == [None]
    assert found.filter(provider="no provider")["total_n"].item() == 1


def test_one_org_alone_without_groups_is_one_row(log_of, event):
    """No keys at all."""
    log = log_of([event(total_ms=10.0), event(org="b", total_ms=99.0)])

    found = binned_latency(log, None, org="local").collect()

    assert found.height == 1
    assert found["total_p99_ms"].item() == pytest.approx(10, rel=0.0101)


def test_an_empty_log_has_no_groups(log_of):
    """And an unknown column is said."""
    assert binned_latency(log_of([])).collect().height == 0
    assert binned_latency(log_of([]), None, org="a").collect()["total_n"].item() == 0
    with pytest.raises(LabError):
        binned_latency(log_of([]), "colour")

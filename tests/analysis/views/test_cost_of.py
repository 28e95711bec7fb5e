"""What failures, retries and the cache come to."""

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cache import cache
from lectr_lab.analysis.views.cost_of import (
    cache_savings,
    cost_of_failures,
    cost_of_retries,
)
from lectr_lab.analysis.views.spend import spend
from lectr_lab.log.schema import frame


@pytest.fixture(scope="module")
def log(event, failed) -> pl.LazyFrame:
    """Four calls that cost, one of them left and one a retry; one refused, one shadow."""
    some = [
        event(feature="chat"),
        event(feature="chat", outcome="client_disconnect"),
        event(feature="search", retry_count=1),
        event(feature="search", kind="shadow", outcome="client_disconnect"),
        failed(feature="search", retry_count=1),
        event(feature="search", retry_of_failed=True, model_actual="ours"),
    ]
    return priced(frame(some).lazy())


def test_failures_are_those_that_gave_no_whole_answer(log):
    """By outcome, with their share of all that was spent; a refusal costs nothing."""
    found = cost_of_failures(log).collect()

    assert found.select("outcome", "requests").rows() == [
        ("client_disconnect", 1),
        ("provider_error", 1),
    ]
    assert found["spend_usd"].to_list() == pytest.approx([0.00045, 0.0])
    assert found["share_of_spend"].to_list() == pytest.approx([0.25, 0.0])


def test_they_cost_what_spend_says_of_that_outcome(log):
    """Two views, one figure; a shadow, which no client asked for, is not among them."""
    usual = spend(log.filter(pl.col("kind") == "request"), "outcome").collect()
    found = cost_of_failures(log).collect()

    there = dict(usual.select("outcome", "spend_usd").iter_rows())
    assert all(
        there[row[0]] == row[1]
        for row in found.select("outcome", "spend_usd").iter_rows()
    )


def test_retries_are_told_or_known_by_their_body(log):
    """Two that went well, one of them without a price, and one that failed again."""
    [row] = cost_of_retries(log).collect().to_dicts()

    assert (row["requests"], row["priced"], row["unpriced"]) == (3, 1, 1)
    assert row["spend_usd"] == pytest.approx(0.00045)


def test_what_is_not_known_is_null(log):
    """Of retries without any known price."""
    alone = log.filter(pl.col("retry_of_failed"))

    assert cost_of_retries(alone).collect()["spend_usd"].to_list() == [None]


def test_over_time_and_of_one_org(log):
    """As every view."""
    found = cost_of_retries(log, "feature", every="1d", org="local").collect()

    assert found.columns[:4] == ["feature", "time", "requests", "spend_usd"]


def test_savings_are_those_of_the_cache(event):
    """The same figure as `cache` has, most first."""
    some = [
        event(feature="a", cache_read_tokens=900),
        event(feature="b", cache_read_tokens=100),
        event(feature="c"),
    ]
    log = priced(frame(some).lazy())

    found, usual = cache_savings(log, "feature").collect(), cache(log).collect()

    assert found["feature"].to_list() == ["a", "b", "c"]
    saved = dict(usual.select("feature", "saved_usd").iter_rows())
    assert all(
        saved[f] == usd for f, usd in found.select("feature", "saved_usd").iter_rows()
    )


def test_an_empty_log_has_no_rows():
    """And the columns all the same."""
    nothing = priced(frame([]).lazy())

    assert cost_of_failures(nothing).collect().is_empty()
    assert cost_of_retries(nothing).collect().is_empty()

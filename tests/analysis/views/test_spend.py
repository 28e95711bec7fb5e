"""Where the money goes."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.spend import dearest, spend, spend_over_time, tokens
from lectr_lab.log.schema import frame


def test_the_dearest_comes_first(traffic):
    """In money, not in requests; what has no price comes last."""
    found = spend(priced(traffic)).collect()

    known = found["spend_usd"].drop_nulls().to_list()
    assert known == sorted(known, reverse=True)
    assert found["feature"][-1] == "nightly-batch"
    assert found["share_of_spend"].sum() == pytest.approx(1.0)


def test_an_unknown_price_is_not_zero(log_of, event):
    """The sum is null where none of it is known, and says what it lacks where some is."""
    log = log_of(
        [
            event(feature="a", model_actual="x"),
            event(feature="b", model_actual="x"),
            event(feature="b"),
            event(feature="c", input_tokens=None),
        ]
    )

    found = spend(priced(log)).sort("feature").collect()

    assert found["spend_usd"].to_list() == [None, pytest.approx(0.00045), None]
    assert found["unpriced"].to_list() == [1, 1, 0]
    assert found["uncounted"].to_list() == [0, 0, 1]
    assert found["priced"].to_list() == [0, 1, 0]


def test_failed_requests_cost_nothing_and_lack_nothing(log_of, failed):
    """No tokens were taken: $0, and nothing is unpriced."""
    [row] = spend(priced(log_of([failed(), failed()]))).collect().to_dicts()

    assert (row["requests"], row["spend_usd"], row["unpriced"]) == (2, 0.0, 0)
    assert row["share_of_spend"] is None


def test_a_shadow_costs_but_is_no_request(log_of, event):
    """The bill has it; the count of the clients' requests does not."""
    [row] = spend(priced(log_of([event(kind="shadow"), event()]))).collect().to_dicts()

    assert (row["requests"], row["priced"]) == (1, 2)
    assert row["spend_usd"] == pytest.approx(0.0009)


def test_shares_are_of_all_that_is_shown(log_of, event):
    """They sum to one, whosever the rows are; of one org alone, to one too."""
    log = log_of([event(org="a", feature="x"), event(org="b"), event(org="b")])

    shares = spend(priced(log)).collect()["share_of_spend"].to_list()
    assert shares == pytest.approx([2 / 3, 1 / 3])
    assert spend(priced(log), org="a").collect()["share_of_spend"].to_list() == [1.0]


@settings(max_examples=20)
@given(picks=st.lists(st.sampled_from(["a", "b", None, "untagged"]), max_size=20))
def test_no_request_is_lost_or_counted_twice(event, picks):
    """However it is grouped, the rows add up."""
    log = priced(frame([event(feature=pick) for pick in picks]).lazy())

    for by in (None, "feature", ["feature", "model"]):
        found = spend(log, by).collect()
        assert found["requests"].sum() == len(picks)
        assert found["spend_usd"].sum() == pytest.approx(0.00045 * len(picks))


def test_steps_of_time_keep_the_dearest_and_add_up_the_others(traffic):
    """Every day has the same total as the whole, and few series."""
    log = priced(traffic)

    steps = spend_over_time(log, "1d", leading=2).collect()

    assert steps["rank"].unique().sort().to_list() == [0, 1, 2]
    assert set(steps["feature"]) == {None, "report-writer", "support-chat"}
    assert steps["time"].n_unique() == 14
    total = spend(log).collect()["spend_usd"].sum()
    assert steps["spend_usd"].sum() == pytest.approx(total)


def test_time_is_in_order(traffic):
    """With a step, the first column to sort by is the time."""
    found = spend(priced(traffic), every="1d").collect()

    assert found["time"].is_sorted()


def test_cached_and_reasoning_tokens_stay_apart(log_of, event):
    """They are parts of input and output; nobody's word is null, not 0."""
    log = log_of(
        [
            event(feature="a", cache_read_tokens=300),
            event(feature="a", reasoning_tokens=100),
            event(feature="b"),
        ]
    )

    a, b = tokens(log).collect().to_dicts()

    assert (a["input_tokens"], a["cache_read_tokens"]) == (2000, 300)
    assert (a["output_tokens"], a["reasoning_tokens"]) == (1000, 100)
    assert (b["cache_read_tokens"], b["reasoning_tokens"], b["counted"]) == (
        None,
        None,
        1,
    )


@pytest.mark.parametrize("view", [spend, tokens])
def test_an_empty_log_gives_an_empty_view(log_of, view):
    """No rows, the same columns."""
    log = priced(log_of([]))

    assert view(log).collect().is_empty()
    assert view(log, every="1h").collect_schema().names()[:3] == [
        "org",
        "feature",
        "time",
    ]
    assert spend_over_time(log, "1d").collect().is_empty()


def test_a_view_is_lazy(traffic):
    """Nothing is read before it is asked for."""
    assert isinstance(spend(priced(traffic)), pl.LazyFrame)
    assert timedelta(days=13) < traffic.collect()["started_at"].max() - (
        traffic.collect()["started_at"].min()
    )


def test_the_dearest_requests_come_first(log_of, event):
    """By what they cost; an unknown cost is no candidate."""
    log = log_of(
        [
            event(input_tokens=10, provider_request_id="small"),
            event(model_actual="nobody-knows-this", input_tokens=10**6),
            event(input_tokens=90_000, provider_request_id="big"),
            event(input_tokens=50_000, provider_request_id="middle"),
        ]
    )

    found = dearest(priced(log), 2).collect()

    assert found["provider_request_id"].to_list() == ["big", "middle"]
    assert found["cost_usd"].is_sorted(descending=True)


def test_an_empty_log_has_no_dearest(log_of):
    """No rows, and the columns."""
    assert dearest(priced(log_of([]))).collect().height == 0


def test_each_session_has_its_dearest_requests(log_of, event):
    """Two of each, dearest first, and those without a session have theirs."""
    kinds = [("a", 9), ("a", 8), ("a", 7), (None, 2), (None, 1), ("b", 3)]
    log = log_of(event(session=s, input_tokens=n * 1000) for s, n in kinds)

    found = dearest(priced(log), 2, by="session").collect()

    assert found.select("session", "input_tokens").rows() == [
        *(("a", 9000), ("a", 8000), ("b", 3000)),
        *(("no session", 2000), ("no session", 1000)),
    ]
    assert found.columns[:5] == ["started_at", "org", "feature", "provider", "model"]


def test_steps_of_time_by_client(log_of, event):
    """Any column in the place of the feature; the others together are null."""
    kinds = [("codex", 3), (None, 2), ("curl", 1)]
    log = log_of(event(client=c, input_tokens=n * 1000) for c, n in kinds)

    steps = spend_over_time(priced(log), by="client", leading=2).collect()

    found = steps.select("client", "rank").rows()
    assert found == [(None, 0), ("codex", 1), ("no client", 2)]

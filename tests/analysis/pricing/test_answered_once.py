"""A response that is asked for again counts once."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.answered_once import answered_once
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views.spend import spend
from lectr_lab.analysis.views.summary import totals

UNREAD = {"input_tokens": None, "output_tokens": None, "token_source": "absent"}
MAKE = {"operation": "responses", "path": "/v1/responses"}
FETCH = {"operation": "other", "path": "/v1/responses/*"}
FETCHED = {"operation": "responses", "path": "/v1/responses/*"}  # completed


def once(log):
    return priced(answered_once(log, log))


@pytest.fixture(scope="module")
def asked(log_of, event):
    """A log of requests, one a minute: of each, the fields."""
    start = event().started_at

    def of(*requests):
        return log_of(
            event(
                event_id=i.to_bytes(16, "big"),
                started_at=start + timedelta(minutes=i),
                **fields,
            )
            for i, fields in enumerate(requests)
        )

    return of


def test_a_background_response_is_one_call_with_its_usage(asked):
    """Queued, looked at while it ran, fetched when completed, and fetched again."""
    of = {"provider_response_id": "resp_1"}
    log = asked(
        MAKE | UNREAD | of | {"service_tier": "auto"},
        FETCH | UNREAD | of,
        FETCHED | of | {"service_tier": "default"},
        FETCHED | of | {"service_tier": "default"},
    )

    [row] = spend(once(log)).collect().to_dicts()
    [total] = totals(once(log)).collect().to_dicts()
    first = once(log).collect().sort("started_at").row(0, named=True)

    assert (row["requests"], row["priced"], row["uncounted"]) == (1, 1, 0)
    assert (total["other_requests"], total["other_failed"]) == (3, 0)
    assert (first["input_tokens"], first["token_source"]) == (1000, "provider")
    assert first["service_tier"] == "default"


@pytest.mark.parametrize("fetch", [FETCH, FETCHED])
def test_a_fetch_whose_request_is_not_in_the_log_is_the_call(asked, fetch):
    """The first row of the id counts, whichever it is."""
    of = {"provider_response_id": "resp_1"}
    log = asked(fetch | of, fetch | of)

    found = once(log).collect().sort("started_at")

    assert found["operation"].to_list() == ["responses", "other"]
    assert found["input_tokens"].to_list() == [1000, None]


def test_requests_that_each_make_a_response_are_calls_each(asked):
    """Some local servers draw ids from few numbers; a cache may give one twice."""
    log = asked(*[MAKE | {"provider_response_id": "resp_1"}] * 3)

    assert spend(once(log)).collect()["priced"].to_list() == [3]


def test_a_log_without_fetches_is_as_it_was(traffic):
    """Old logs have no ids."""
    assert answered_once(traffic, traffic).collect().equals(traffic.collect())


requests = st.tuples(
    st.sampled_from([None, "resp_1", "resp_2"]),
    st.sampled_from(["openai", "azure"]),
    st.sampled_from([MAKE, FETCH, FETCHED]),
    st.booleans(),
)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@given(st.lists(requests, max_size=12))
def test_each_id_has_its_usage_once_whatever_the_order(asked, engine, made):
    """Beside a plain account: rows without an id each count, and so does each maker with
    usage; of an id without such a one, one row does where any has usage."""
    log = asked(
        *(
            how | ({} if counted else UNREAD)
            | {"provider_response_id": name, "provider": provider}
            for name, provider, how, counted in made
        )
    )  # fmt: skip
    alone, groups = 0, defaultdict(list)
    for name, provider, how, counted in made:
        if name is None:
            alone += counted
        else:
            groups[name, provider].append((how is MAKE, counted))

    found = once(log).collect(engine=engine)

    wanted = alone
    for group in groups.values():
        makers = sum(counted for is_maker, counted in group if is_maker)
        wanted += makers or any(counted for _, counted in group)
    assert found["input_tokens"].count() == wanted
    assert found.height == len(made)


def test_a_scanned_lab_counts_a_response_once(asked, tmp_path):
    """From the log to the view, beside a chat that has nothing to do with it."""
    of = {"provider_response_id": "resp_1"}
    log = asked({}, MAKE | UNREAD | of, FETCHED | of, FETCHED | of)
    log.sink_parquet(tmp_path / "2026-11-02.parquet")

    [row] = spend(scan(tmp_path)).collect().to_dicts()

    assert (row["requests"], row["priced"], row["uncounted"]) == (2, 2, 0)

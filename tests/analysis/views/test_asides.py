"""What is no model call stands beside the figures of those that are."""

import json
from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import asides
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, tokens
from lectr_lab.analysis.views.summary import summary, totals, totals_text
from lectr_lab.core.event_values import NOT_CALLS, Operation
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.importers.importing import import_log
from lectr_lab.log.scan import scan

UNREAD = {"input_tokens": None, "output_tokens": None, "token_source": "absent"}


@pytest.fixture(scope="module")
def agent(log_of, event):
    """Claude Code's session as it was measured: 32 messages, 7 of them failed; 24 looks
    at how long a prompt is and 2 at the list of models."""
    of = {"provider": "anthropic", "model_actual": "claude-sonnet-4-5"}
    failure = UNREAD | {"outcome": "provider_error", "status": 529}
    events = [
        *[event(operation="messages", **of)] * 25,
        *[event(operation="messages", **(of | failure))] * 7,
        *[event(operation="count_tokens", **(of | UNREAD))] * 24,
        *[event(operation="models", **(of | UNREAD | {"model_actual": None}))] * 2,
    ]
    return priced(log_of(events))


def test_error_rates_and_counts_are_of_calls(agent):
    """7 of 32 failed, not 7 of 58, in every view."""
    [bad] = errors(agent).collect().to_dicts()
    [paid] = spend(agent).collect().to_dicts()

    assert (bad["requests"], bad["errors"]) == (32, 7)
    assert bad["error_rate"] == pytest.approx(0.219, abs=0.0005)
    assert (paid["requests"], paid["priced"], paid["uncounted"]) == (32, 25, 0)
    for view in (latency, tokens, summary):
        assert view(agent).collect()["requests"].to_list() == [32]
    assert None not in spend(agent, "model").collect()["model"]


def test_the_others_are_a_line_of_their_own(agent):
    """How many, of which kinds, and how many failed."""
    [total] = totals(agent).collect().to_dicts()

    assert total["other_requests"] == 26
    assert totals_text(total).splitlines()[1] == (
        "26 other requests (24 count_tokens, 2 models), 0 failed: not model calls."
    )


def test_a_log_of_others_alone_is_no_empty_log(log_of, event):
    """It has no request, and says what it has."""
    looked_at = {"operation": "other", "path": "/v1/responses/*"}
    of = UNREAD | {"outcome": "timeout"} | looked_at
    log = priced(log_of([event(**of)]))

    text = totals_text(totals(log).collect().row(0, named=True))

    assert text.splitlines()[1] == (
        "1 other request (1 of no kind we know), 1 failed: not model calls."
    )
    assert summary(log).collect().is_empty()


@pytest.mark.parametrize(
    "operation, path, counts",
    [
        ("batches", "/v1/messages/batches/*/results", 1),
        ("files", "/v1/files/*/content", 1),
        ("files", "/v1/files/*", 0),
        ("batches", "/v1/batches", 0),
        ("models", "/v1/models/*/content", 0),
    ],
)
def test_fetched_batches_are_said_with_what_counts_them(
    log_of, event, operation, path, counts
):
    """Their results pass unread: an import has their figures."""
    log = priced(log_of([event(operation=operation, path=path, **UNREAD)]))

    [total] = totals(log).collect().to_dicts()

    assert total["batches_fetched"] == counts
    said = [line for line in asides.aside_sentences(total) if "fetched" in line]
    assert len(said) == counts
    assert all("lectr-lab import" in line for line in said)


def test_the_import_command_counts_a_batch(tmp_path):
    """The kind that it names reads a file of results, at the price of batches."""
    body = {"object": "chat.completion", "id": "chatcmpl-1", "model": "gpt-4o-mini"}
    body |= {"created": 1795521600, "usage": {"prompt_tokens": 1000}}
    line = {"id": "b-1", "response": {"status_code": 200, "body": body}}
    (tmp_path / "results.jsonl").write_text(json.dumps(line))
    *_, file, _, kind = asides.IMPORT_COMMAND.split()

    import_log(tmp_path / file, LabFolder(tmp_path / "lab"), kind=kind, org="acme")

    [usd] = priced(scan(tmp_path / "lab")).collect()["cost_usd"]
    assert usd == pytest.approx(1000 * 0.15e-6 / 2)


operations = st.sampled_from([*get_args(Operation), None])
requests = st.fixed_dictionaries(
    {
        "operation": operations,
        "outcome": st.sampled_from(["ok", "timeout", "client_disconnect"]),
        "kind": st.sampled_from(["request", "shadow"]),
        "input_tokens": st.sampled_from([None, 10]),
        "credential": st.sampled_from([None, "api_key", "plan"]),
        "model_actual": st.sampled_from(["gpt-4o-mini", "our-own"]),
        "cost_stated_usd": st.sampled_from([None, 0.5, 0.25]),
    }
)


@given(st.lists(requests))
def test_parts_add_up_to_the_whole(log_of, event, asked):
    """Each request is a call or another, each known cost is billed or a plan's, and each
    stated one stands beside a list price or alone."""
    log = log_of(event(**fields) for fields in asked)
    unplanned = log.with_columns(credential=pl.lit(None, pl.String))

    [row] = totals(priced(log)).collect().to_dicts()
    [listed] = totals(priced(unplanned)).collect().to_dicts()

    of_clients = [fields for fields in asked if fields["kind"] == "request"]
    assert row["requests"] + row["other_requests"] == len(of_clients)
    kinds = [row[f"other_{name}"] for name in NOT_CALLS if name != "other"]
    assert sum(kinds) <= row["other_requests"]
    assert row["other_failed"] <= row["other_requests"]
    whole = (row["spend_usd"] or 0.0) + row["plan_usd"]
    assert whole == pytest.approx(listed["spend_usd"] or 0.0)
    assert row["plan_unpriced"] + row["unpriced"] == listed["unpriced"]
    stated = [f["cost_stated_usd"] for f in asked if f["cost_stated_usd"] is not None]
    assert row["stated_usd"] == pytest.approx(sum(stated))
    assert row["stated_requests"] == len(stated) == listed["stated_requests"]
    assert row["stated_list_usd"] == pytest.approx(listed["stated_list_usd"])


def test_a_plan_is_no_bill(log_of, event):
    """What it covered is said at list price, and spend is what is billed."""
    plan = {"credential": "plan"}
    log = log_of([event(), event(**plan), event(**plan, model_actual="our-own")])
    one = priced(log).collect()["cost_usd"][0]

    [row] = spend(priced(log)).collect().to_dicts()
    text = totals_text(totals(priced(log)).collect().row(0, named=True))

    assert (row["spend_usd"], row["plan_usd"]) == (one, one)
    assert (row["priced"], row["unpriced"]) == (3, 0)
    assert text.splitlines()[1] == (
        "2 calls covered by a plan, which bills none of it: $0.00045 at list price "
        "(1 without a known price), not part of the spend."
    )


def test_what_a_provider_says_that_it_cost_stands_beside_ours(log_of, event):
    """Each difference is named; so is what has no price of ours."""
    log = priced(
        log_of(
            [
                event(),
                event(cost_stated_usd=0.5),
                event(cost_stated_usd=0.25, model_actual="our-own"),
            ]
        )
    )

    text = totals_text(totals(log).collect().row(0, named=True))

    assert spend(log).collect()["stated_usd"].to_list() == [0.75]
    assert text.splitlines()[1] == (
        "1 call cost $0.50 by the provider's own word, $0.00045 by list: difference "
        "$0.50. 1 call without a known price cost $0.25 by its own word."
    )


def test_what_a_gateways_cache_answered_is_said_to_be_free(log_of, event):
    """It costs nothing, whatever it counted, and is in no sum of what is unknown."""
    hit = {"service_tier": "gateway_cache"}
    events = [event(), event(**hit), event(model_actual="x", **UNREAD, **hit)]
    log = priced(log_of(events))

    total = totals(log).collect().row(0, named=True)

    assert total["spend_usd"] == pytest.approx(0.00045)
    assert (total["priced"], total["unpriced"], total["uncounted"]) == (3, 0, 0)
    said = "2 calls answered by a gateway's cache, which is free."
    assert said in totals_text(total).splitlines()

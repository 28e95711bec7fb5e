"""What is no model call stands beside the figures of those that are."""

from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import asides, rows
from lectr_lab.analysis.views.health import errors, latency
from lectr_lab.analysis.views.spend import spend, tokens
from lectr_lab.analysis.views.summary import summary, totals, totals_text
from lectr_lab.core.event_values import NOT_CALLS, Operation

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
    of = UNREAD | {"outcome": "timeout", "operation": "other"}
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


def test_the_import_command_counts_a_batch(event, log_of):
    """Every column that it names is one of the log, and the price is a batch's."""
    columns = asides.IMPORT_COMMAND.partition("--columns ")[2].split()
    named = {pair.partition("=")[0] for pair in columns}
    constants = dict(pair.split("==") for pair in columns if "==" in pair)

    usual, batch = (event(), event(**constants))

    assert named <= set(type(usual).__struct_fields__)
    whole, half = priced(log_of([usual, batch])).collect()["cost_usd"]
    assert half == pytest.approx(whole / 2)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*get_args(Operation), None]),
            st.sampled_from(["ok", "timeout", "client_disconnect"]),
            st.sampled_from(["request", "shadow"]),
            st.sampled_from([None, 10]),
        )
    )
)
def test_every_client_request_is_a_call_or_another(asked):
    """One of the two, whatever a row says; the kinds add up to the others."""
    names = ["operation", "outcome", "kind", "input_tokens"]
    types = [pl.String, pl.String, pl.String, pl.Int64]
    schema = dict(zip(names, types, strict=True)) | {"path": pl.String}
    log = pl.LazyFrame([(*row, "/v1/x") for row in asked], schema, orient="row")

    found = log.select(
        (pl.col("kind") == "request").sum().alias("all"),
        rows.is_request().sum().alias("calls"),
        *asides.aside_measures(),
    ).collect()

    [row] = found.to_dicts()
    assert row["calls"] + row["other_requests"] == row["all"]
    kinds = [row[f"other_{name}"] for name in NOT_CALLS if name != "other"]
    assert sum(kinds) <= row["other_requests"]
    assert row["other_failed"] <= row["other_requests"]

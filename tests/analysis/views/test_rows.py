"""What a row is."""

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.event_values import NOT_CALLS
from lectr_lab.core.free_paths import FREE_PATHS
from lectr_lab.core.routing.paths import logged_path, operation


@pytest.mark.parametrize(
    "fields, holds",
    [
        ({}, {"is_request", "succeeded", "untagged", "is_priced"}),
        ({"feature": "chat"}, {"is_request", "succeeded", "is_priced"}),
        ({"kind": "shadow"}, {"is_priced"}),
        (
            {"outcome": "timeout", "input_tokens": None},
            {"is_request", "failed", "untagged"},
        ),
        (
            {"outcome": "client_disconnect", "feature": "a"},
            {"is_request", "disconnected", "is_priced"},
        ),
        (
            {"model_actual": "x", "feature": "a"},
            {"is_request", "succeeded", "unpriced"},
        ),
        (
            {"input_tokens": None, "feature": "a"},
            {"is_request", "succeeded", "uncounted"},
        ),
        (
            {"input_tokens": None, "feature": "a", "operation": "other"},
            {"is_request", "succeeded", "uncounted"},
        ),
        (
            {
                "input_tokens": None,
                "operation": "other",
                "path": "/v1/responses/*/input_items",
            },
            {"is_other_request"},
        ),
        (
            {"input_tokens": None, "feature": "a", "operation": "moderations"},
            {"is_request", "succeeded", "uncounted"},
        ),
        (
            {"input_tokens": None, "feature": "a", "image_count": 1},
            {"is_request", "succeeded", "unpriced"},
        ),
        (
            {"operation": "count_tokens", "outcome": "timeout", "input_tokens": None},
            {"is_other_request", "other_failed"},
        ),
        (
            {"input_tokens": None, "operation": "files", "path": "/v1/files/*/content"},
            {"is_other_request", "batch_fetched"},
        ),
        (
            {"feature": "a", "operation": "other"},
            {"is_request", "succeeded", "is_priced"},
        ),
        (
            {"feature": "a", "retry_count": 1, "token_source": "tokenizer"},
            {"is_request", "succeeded", "is_priced", "retried", "estimated"},
        ),
    ],
)
def test_a_row_is_what_its_columns_say(log_of, event, fields, holds):
    """Each question has one answer, and it is never null."""
    asked = [
        "is_request succeeded failed disconnected retried untagged is_priced unpriced",
        "uncounted estimated is_other_request other_failed batch_fetched",
    ]
    questions = " ".join(asked).split()
    answers = priced(log_of([event(**fields)])).select(
        getattr(rows, name)().alias(name) for name in questions
    )

    found = answers.collect().row(0, named=True)

    assert {name for name, answer in found.items() if answer} == holds
    assert None not in found.values()


def test_the_model_is_the_one_that_answered(log_of, event):
    """Or else the one sent, or else the one asked for."""
    names = [("a", "b", "c"), (None, "b", "c"), (None, None, "c"), (None, None, None)]
    events = [
        event(model_actual=actual, model_sent=sent, model_requested=asked)
        for actual, sent, asked in names
    ]

    found = log_of(events).select(rows.model()).collect()

    assert found["model"].to_list() == ["a", "b", "c", None]
    assert found.schema["model"] == pl.String


ASKED = [
    *("chat/completions completions embeddings responses responses/compact".split()),
    *("responses/resp_1 responses/resp_1/cancel responses/resp_1/input_items".split()),
    *("chat/completions/c_1 chat/completions/c_1/messages messages".split()),
    *("messages/count_tokens messages/batches messages/batches/b_1/results".split()),
    *("models models/gpt-4o files files/f_1/content uploads uploads/u_1/parts".split()),
    *("batches images/generations images/edits images/variations".split()),
    *("audio/speech audio/transcriptions audio/translations moderations".split()),
    *("rerank ocr videos videos/v_1 realtime realtime/sessions".split()),
    *("realtime/client_secrets fine_tuning/jobs fine_tuning/jobs/j_1".split()),
    *("fine_tuning/jobs/j_1/events assistants threads threads/t_1/runs".split()),
    *("threads/runs threads/t_1/runs/r_1/submit_tool_outputs".split()),
    *("vector_stores/v_1/search evals containers search credits generation".split()),
    *("conversations/c_1/items music anything/else".split()),
]


@pytest.mark.parametrize("prefix", ["/v1/", "/openai/v1/", "/v1beta/openai/"])
@pytest.mark.parametrize("asked", ASKED)
def test_what_may_be_billed_is_counted_or_seen_to_be_missing(
    log_of, event, prefix, asked
):
    """Every path, as the proxy names it: uncounted, or known to be free."""
    path = f"{prefix}{asked}".encode()
    told = {"operation": operation(path), "path": logged_path(path)}
    nothing = dict.fromkeys(["input_tokens", "output_tokens"])
    log = priced(log_of([event(**told, **nothing)]))

    row = log.select(missing=rows.uncounted()).collect().row(0, named=True)
    total = spend(log, None, org="local").collect().row(0, named=True)

    free = told["operation"] in NOT_CALLS[:-1]
    free |= told["operation"] == "other" and told["path"] in FREE_PATHS
    assert row["missing"] == (not free)
    assert (total["spend_usd"] is None) == (not free)

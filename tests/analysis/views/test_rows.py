"""What a row is."""

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import rows


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
            {"is_other_request"},
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

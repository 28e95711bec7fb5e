"""Bounds: no request uses more tokens, as far as anybody can know."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.bounds import ENOUGH, UNKNOWN_OUTPUT_TOKENS, Asked, Bounds
from lectr_lab.core.event import Event

MINI = Asked("openai", "gpt-4o-mini", "chat", 1000, 50)


def event(**fields: Any) -> Event:
    usual: dict[str, Any] = {
        "event_id": bytes(16),
        "started_at": datetime(2026, 11, 1, tzinfo=UTC),
        "org": "a",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 1.0,
        "provider": "openai",
        "model_sent": "gpt-4o-mini",
        "token_source": "provider",
        "request_bytes": 1000,
        "input_tokens": 200,
        "output_tokens": 40,
        "output_chars": 200,
    }
    return Event(**usual | fields)


def learned(*events: Event) -> Bounds:
    bounds = Bounds()
    for one in events:
        bounds.learn(one)
    return bounds


def test_a_byte_may_be_a_token_until_enough_was_seen():
    """From then on the highest ratio decides, and a quarter more."""
    few, enough = ([event(input_tokens=200)] * n for n in (ENOUGH - 1, ENOUGH))

    assert learned(*few).of(MINI).input_tokens == 1000
    assert learned(*enough).of(MINI).input_tokens == 250
    assert learned(*enough, event(input_tokens=600)).of(MINI).input_tokens == 750


@given(st.lists(st.integers(1, 5_000), min_size=ENOUGH, max_size=2 * ENOUGH))
def test_no_request_that_was_seen_is_above_its_bound(inputs):
    """Whatever came."""
    bounds = learned(*(event(input_tokens=n, request_bytes=2_000) for n in inputs))

    bound = bounds.of(MINI._replace(body_bytes=2_000))
    assert bound.input_tokens >= max(inputs)


def test_the_model_takes_no_more_than_it_takes():
    """A megabyte of a picture is no million tokens."""
    large = MINI._replace(body_bytes=10**6)

    assert Bounds().of(large).input_tokens == 128_000
    assert Bounds().of(MINI._replace(has_media=True)).input_tokens == 128_000
    assert Bounds().of(MINI._replace(body_bytes=None)).input_tokens == 128_000
    assert Bounds().of(MINI._replace(has_tools=True)).input_tokens == 2_000


@pytest.mark.parametrize(
    ("changes", "tokens", "certain"),
    [
        ({}, 50, True),
        ({"answers": 3}, 150, True),
        ({"max_output_tokens": None}, 16_384, True),
        ({"max_output_tokens": 10**6}, 16_384, True),
        ({"operation": "embeddings"}, 0, True),
        ({"model": "mine", "max_output_tokens": 70}, 70, True),
        ({"model": "mine", "max_output_tokens": None}, UNKNOWN_OUTPUT_TOKENS, False),
    ],
)
def test_how_much_is_written_at_most(changes, tokens, certain):
    """As asked, else as the catalogue says, else as usual, which is said."""
    bound = Bounds().of(MINI._replace(**changes))

    assert (bound.output_tokens, bound.certain) == (tokens, certain)


def test_where_nobody_knows_99_of_100_stayed_below():
    """Of the model's own answers."""
    answers = [event(model_sent="mine", output_tokens=n) for n in range(1, 1001)]
    bound = learned(*answers).of(Asked("openai", "mine", "chat", 10))

    assert (bound.output_tokens, bound.certain) == (990, False)


def test_what_a_provider_did_not_count_teaches_nothing():
    """Nor an answer that broke off."""
    silent = [event(token_source="absent", input_tokens=1)] * 2 * ENOUGH
    broken = [event(outcome="client_disconnect", output_tokens=1)] * 2 * ENOUGH

    assert learned(*silent).of(MINI).input_tokens == 1000
    assert learned(*broken).written_tokens(MINI, 80) == 80
    assert learned(*[event()] * ENOUGH).written_tokens(MINI, 80) == 20


def test_a_deployment_is_known_by_the_name_it_answers_with():
    """From its first answer on."""
    bounds = learned(event(model_sent="ours", model_actual="gpt-4o-2024-08-06"))

    assert bounds.model("openai", "ours").answers_as == "gpt-4o-2024-08-06"
    assert bounds.model("azure", "ours").answers_as is None

"""The most that a request can cost, from what is known of its kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.bounds import ENOUGH, Asked, Bounds
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.pricing.pusd import FRESH_S
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.proxy.gates.budget_dearest import UNKNOWN, Dearest
from lectr_lab.proxy.gates.budget_prices import Prices

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PRICES = Prices()
MODELS = ["gpt-4o-mini", "gpt-4o", "gpt-5", "ours", None]


def exchange(model: str | None, at: datetime = NOON, **facts: Any) -> Exchange:
    one = Exchange(
        event_id=bytes(16),
        started_at=at,
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=KeyEntry(key_id="k", org="a", digest=b"", created_at=NOON),
    )
    one.received(RequestFacts(model=model, **facts), 1_000, 0.0)
    one.sent_to(ResolvedProvider("openai", "model"), 0.0)
    return one


def answer(model: str, actual: str, tokens: int) -> Event:
    return Event(
        event_id=bytes(16),
        started_at=NOON,
        org="a",
        path="/v1/chat/completions",
        operation="chat",
        outcome="ok",
        total_ms=1.0,
        provider="openai",
        model_sent=model,
        model_actual=actual,
        token_source="provider",
        request_bytes=1_000,
        input_tokens=tokens,
        output_tokens=tokens,
    )


requests = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "service_tier_requested": st.sampled_from([None, "priority", "flex"]),
        "has_audio": st.sampled_from([None, False, True]),
        "has_images": st.sampled_from([None, True]),
        "has_tools": st.sampled_from([None, True]),
        "max_output_tokens": st.sampled_from([None, 50, 10**6]),
        "answers": st.integers(1, 3),
        "facts_truncated": st.sampled_from([None, True]),
    }
)
answers = st.builds(
    answer,
    st.sampled_from(["gpt-4o-mini", "ours"]),
    st.sampled_from(["gpt-4o-mini", "gpt-4o", "nobody-knows-this"]),
    st.integers(1, 3_000),
)
steps = st.one_of(requests, answers, st.integers(0, 3))


@given(st.lists(steps, max_size=30))
def test_what_is_remembered_is_what_is_looked_up(steps):
    """Whatever was asked before, learnt in the meantime, and however late it is."""
    bounds, at = Bounds(), NOON
    dearest = Dearest(PRICES, bounds)
    for step in steps:
        if isinstance(step, int):
            at += timedelta(seconds=step * FRESH_S)
        elif isinstance(step, Event):
            for _ in range(ENOUGH):
                bounds.learn(step)
        else:
            one = exchange(at=at, **step)
            assert dearest.of(one, at.timestamp()) == looked_up(one, bounds)


def looked_up(one: Exchange, bounds: Bounds) -> tuple[int, bool]:
    """By the bound and the price, each asked anew."""
    request, model = one.request, one.request.model
    if model is None:
        return UNKNOWN, False
    highest = PRICES.highest(one, model, bounds.model("openai", model).answers_as)
    if highest is None:
        return 0, True
    media = request.has_images or request.has_audio
    size = None if request.facts_truncated else 1_000
    wanted, count = request.max_output_tokens, request.answers
    asked = Asked(
        "openai", model, "chat", size, wanted, count, request.has_tools, media
    )
    sent, written, certain = bounds.of(asked)
    return sent * highest.input_pusd + written * highest.output_pusd, certain


def test_a_model_that_nobody_named_may_cost_something():
    """It is refused where nothing is left at all."""
    assert Dearest(PRICES, Bounds()).of(exchange(None), 0.0) == (UNKNOWN, False)


def test_it_knows_a_deployment_from_its_first_answer_on():
    """Before that it has no price."""
    bounds = Bounds()
    dearest, at_s = Dearest(PRICES, bounds), NOON.timestamp()
    one = exchange("ours", max_output_tokens=50)
    assert dearest.of(one, at_s) == (0, True)

    bounds.learn(answer("ours", "gpt-4o", 20))

    assert dearest.of(one, at_s)[0] > 0

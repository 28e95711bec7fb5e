"""What budgets ask of prices: of requests to be sent, and of those that are over."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import ClientHeaders
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.pricing.price import UserPrice
from lectr_lab.core.pricing.pusd import Highest
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.proxy.gates.budget_prices import Prices

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def exchange(model: str, provider: str = "openai", **facts: Any) -> Exchange:
    key = KeyEntry(key_id="k", org="a", digest=b"", created_at=NOON)
    one = Exchange(
        event_id=bytes(16),
        started_at=NOON,
        started_s=0.0,
        raw_path=b"/v1/chat/completions",
        client_headers=ClientHeaders(),
        key=key,
    )
    one.received(RequestFacts(model=model, has_audio=False, **facts), 10, 0.0)
    one.sent_to(ResolvedProvider(provider, "model"), 0.0)
    return one


def highest(prices: Prices, model: str, answers_as: str | None = None, **facts: Any):
    return prices.highest(exchange(model, **facts), model, answers_as)


def test_the_dearest_token_is_known_before_a_request_is_sent():
    """By the model it asks for, else by what that called itself before."""
    prices = Prices()
    mini = Highest(150_000, 600_000)

    assert highest(prices, "gpt-4o-mini") == mini
    assert highest(prices, "ours") is None
    assert highest(prices, "ours", "gpt-4o-mini") == mini
    assert highest(prices, "gpt-4o-mini", "nobody-knows-this") == mini
    assert highest(prices, "gpt-4o", "gpt-4o-mini") == highest(prices, "gpt-4o")
    assert highest(prices, "gpt-4o-mini", "gpt-4o") == highest(prices, "gpt-4o")


def test_a_dearer_tier_may_be_what_serves_it():
    """And a cheaper one may not be: the usual price then stands."""
    prices = Prices()
    usual = highest(prices, "gpt-5")
    faster = highest(prices, "gpt-5", service_tier_requested="priority")
    slower = highest(prices, "gpt-5", service_tier_requested="flex")

    assert faster.output_pusd > usual.output_pusd
    assert slower == usual == highest(prices, "gpt-5", service_tier_requested="auto")
    assert highest(prices, "gpt-5", service_tier_requested="unheard-of") == usual


def test_the_users_own_prices_go_before_the_list():
    """Of requests to be sent, and of those that are over."""
    own = UserPrice(
        model="ours",
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(2),
    )
    prices = Prices((own,))
    event = Event(
        event_id=bytes(16),
        started_at=NOON,
        org="a",
        path="/v1/chat/completions",
        operation="chat",
        outcome="ok",
        total_ms=1.0,
        provider="openai",
        model_sent="ours",
        input_tokens=10,
        output_tokens=1,
    )

    assert highest(prices, "ours") == Highest(10**6, 2 * 10**6)
    assert prices.highest_of(event) == Highest(10**6, 2 * 10**6)
    assert prices.cost_pusd(event) == 12 * 10**6

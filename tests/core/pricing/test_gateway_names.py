"""Whose model a gateway's name means."""

from datetime import UTC, datetime

import pytest
from genai_prices.data_snapshot import get_snapshot

from lectr_lab.core.pricing.gateway_names import listed_by_vendor
from lectr_lab.core.pricing.price import PriceQuery, find_price

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
GATEWAYS = ["openai", "openrouter", "mine", "vllm"]
VENDORS = {"anthropic": "anthropic", "openai": "openai", "google": "gemini"}
LISTED = [
    (provider.id, model.id)
    for provider in get_snapshot().providers
    if provider.id in VENDORS
    for model in provider.models
]
SONNET = "claude-sonnet-4-5"


def price(provider, model, **more):
    """The list's price, whole."""
    query = PriceQuery(provider, model, None, None, None, NOON)
    found = find_price(query._replace(**more))
    return None if found is None else vars(found.price)


@pytest.mark.parametrize(("vendor", "model"), LISTED)
def test_a_vendor_before_a_slash_is_priced_as_that_vendors(vendor, model):
    """At a gateway that nobody lists: that model's own price, or none."""
    found = price("mine", f"{vendor}/{model}")

    if listed_by_vendor(f"{vendor}/{model}"):
        assert found == price(VENDORS[vendor], model)
    else:
        assert found is None


def test_most_listed_models_of_the_vendors_are_meant():
    """All of Claude and Gemini; of OpenAI all but open weights and fine-tunes."""
    left = [m for vendor, m in LISTED if not listed_by_vendor(f"{vendor}/{m}")]

    sold_by_google = [m for m in left if m.startswith("claude")]
    assert not [m for m in left if m.startswith(("gemini", "o1", "gpt-5"))]
    assert {("google", m) for m in sold_by_google} <= set(LISTED)
    assert len(left) - len(sold_by_google) < len(LISTED) / 5


def test_what_the_gateway_lists_itself_goes_first():
    """Bedrock costs a tenth more in a region; OpenRouter has prices of its own."""
    name = "claude-sonnet-4-6"
    regional = price("mine", f"us.anthropic.{name}")

    assert regional == price("aws", f"us.anthropic.{name}")
    assert regional["input_mtok"] > price("anthropic", name)["input_mtok"]
    assert price("openrouter", "openai/gpt-4o") is not None


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "model",
    [
        f"anthropic.{SONNET}-20250929-v1:0",
        f"us.anthropic.{SONNET}-20250929-v1:0",
        f"apac.anthropic.{SONNET}-20250929-v1:0",
        f"global.anthropic.{SONNET}-20250929-v1:0",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        f"{SONNET}@20250929",
        f"anthropic/{SONNET}-20250929",
        "anthropic/claude-sonnet-4.5",
        "Anthropic/Claude-Sonnet-4.5",
    ],
)
def test_every_way_to_write_it_has_its_price(gateway, model):
    """Of OpenRouter, LiteLLM, Bedrock and Vertex: within a tenth of the vendor's."""
    usd, vendors = price(gateway, model), price("anthropic", SONNET)
    base = getattr(usd["input_mtok"], "base", usd["input_mtok"])

    assert 1 <= base / vendors["input_mtok"].base <= 1.1


@pytest.mark.parametrize("gateway", ["openai", "mine", "vllm"])
@pytest.mark.parametrize(
    "model",
    [
        "anthropic/claude-nonsense",
        "anthropic/gpt-4o",
        "openai/claude-opus-4-6",
        "openai/gemini-2.5-flash",
        "openai/gpt-oss-20b",
        "google/gemma-3-27b-it",
        "google/claude-opus-4-6",
        "somebody/claude-opus-4-6",
        "meta-llama/llama-3.3-70b-instruct",
        "anthropic/claude-sonnet-4.5:free",
        "openai/gpt-4o:batch",
        "openai/gpt-4o/x",
        "/gpt-4o",
        "x.anthropic.claude-opus-4-6-v1:0",
        "us-gov.anthropic.claude-opus-4-6-v1:0",
        "us.meta.llama3-70b-instruct-v1:0",
        "us.anthropic.claude-nonsense-v1:0",
        "my-claude@20250929",
        "anthropic/",
    ],
)
def test_no_other_name_takes_a_price(gateway, model):
    """Another vendor's, a suffix with a price of its own, weights that anybody sells."""
    assert price(gateway, model) is None


def test_tier_and_place_are_the_vendors():
    """An unknown one leaves it unpriced, as there."""
    name = "anthropic/claude-opus-5-5"

    us = price("mine", name, inference_geo="us")
    assert us == price("anthropic", "claude-opus-5-5", inference_geo="us") is not None
    assert price("mine", name, inference_geo="mars") is None
    assert price("mine", name, service_tier="odd") is None
    batch = price("mine", "openai/gpt-5", service_tier="batch")
    assert batch == price("openai", "gpt-5", service_tier="batch") is not None


@pytest.mark.parametrize("gateway", ["openai", "litellm", "mine"])
@pytest.mark.parametrize(
    ("model", "seller", "sold_as"),
    [
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("vertex_ai/gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("gemini/gemini-2.5-flash", "gemini", "gemini-2.5-flash"),
        ("azure/gpt-4o-mini", "azure", "gpt-4o-mini"),
        ("groq/llama-3.1-8b-instant", "groq", "llama-3.1-8b-instant"),
        (
            "openrouter/anthropic/claude-sonnet-4.5",
            "openrouter",
            "anthropic/claude-sonnet-4.5",
        ),
        ("deepseek/deepseek-chat", "deepseek", "deepseek-chat"),
        ("xai/grok-4", "xai", "grok-4"),
        (
            "bedrock/us.anthropic.claude-sonnet-4-6",
            "aws",
            "us.anthropic.claude-sonnet-4-6",
        ),
    ],
)
def test_a_seller_before_a_slash_is_priced_as_sold_there(
    gateway, model, seller, sold_as
):
    """As LiteLLM writes it, whoever is asked."""
    assert price(gateway, model) == price(seller, sold_as) is not None


@pytest.mark.parametrize(
    "model",
    ["azure/eu/gpt-4o-2024-08-06", "groq/", "deepseek/deepseek-r1", "somebody/gpt-4o"],
)
def test_a_region_or_another_sellers_weights_take_no_price(model):
    """They have prices of their own."""
    assert price("mine", model) is None


@pytest.mark.parametrize("model", ["eu/o4-mini", "azure/us/o4-mini-2025-04-16"])
def test_azures_price_in_a_region_is_not_that_of_the_world(model):
    """It is a tenth higher, and on no list that we hold."""
    assert price("azure", model) is None
    assert price("azure", "o4-mini") is not None

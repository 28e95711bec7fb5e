"""What providers document of their prices."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain

import msgspec
import pytest

from lectr_lab.core.pricing.documented import documented, tables
from lectr_lab.core.pricing.price import PriceQuery, cost_usd, find_price
from lectr_lab.core.pricing.units import UNITS

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def usd(provider, model, tier=None, **counts):
    found = find_price(PriceQuery(provider, model, None, None, tier, NOON))
    return None if found is None else cost_usd(found, counts)


def test_every_entry_says_where_it_is_from():
    """A source and a day, and a count that there is."""
    entries = chain.from_iterable(msgspec.structs.astuple(tables()))
    for entry in entries:
        assert entry.source.startswith(("https://", "litellm "))
        assert date(2026, 11, 1) <= entry.checked <= date(2026, 11, 30)
        assert entry.count is None or entry.count in UNITS
        assert all(glob == glob.lower() for glob in entry.models)


@pytest.mark.parametrize(
    ("provider", "model", "counts", "due"),
    [
        ("openai", "whisper-1", {"audio_seconds": 60}, "0.006"),
        ("groq", "whisper-large-v3", {"audio_seconds": 2}, "0.111"),
        ("openai", "tts-1", {"input_characters": 1000}, "0.015"),
        ("gemini", "imagen-3.0-generate-001", {"image_count": 3}, "0.12"),
        ("cohere", "rerank-v3.5", {"rerank_searches": 2}, "0.004"),
        ("openai", "omni-moderation-latest", {"input_tokens": 9}, "0"),
        ("openai", "omni-moderation-latest", {}, "0"),
        ("gemini", "gemma-4-31b-it", {"input_tokens": 9, "output_tokens": 1}, "0"),
        ("openrouter", "deepseek/deepseek-r1:free", {"input_tokens": 9}, "0"),
        (
            "openai",
            "gpt-image-1",
            {"input_tokens": 40, "output_tokens": 4160, "image_count": 1},
            "0.1666",
        ),
        (
            "gemini",
            "gemini-2.5-flash",
            {"input_tokens": 1000, "input_image_tokens": 258},
            "0.0003",
        ),
    ],
)
def test_each_is_billed_by_its_own_unit(provider, model, counts, due):
    """Seconds, letters, pictures, rankings; and what is free costs nothing."""
    found = usd(provider, model, **counts)

    if model.startswith("whisper-large"):  # ten seconds at least
        due = Decimal(due) * 10 / 3600
    assert found == pytest.approx(Decimal(due), abs=Decimal("1e-20"))


@pytest.mark.parametrize(
    ("provider", "model", "counts"),
    [
        ("openai", "whisper-1", {"input_tokens": 9}),
        ("openai", "gpt-4o", {"input_tokens": 9, "other_tool_calls": 1}),
        ("openai", "gpt-4o", {"input_tokens": 9, "input_audio_tokens": 1}),
        ("openai", "gpt-4o", {"input_tokens": 9, "image_count": 1}),
        ("openai", "dall-e-3", {"image_count": 1}),
        ("openai", "gpt-image-1", {"image_count": 1}),
        ("openai", "omni-moderation-latest", {"input_tokens": 9, "web_searches": 1}),
        ("openai", "text-embedding-3-small", {"input_tokens": 9, "output_tokens": 9}),
        ("openai", "gpt-4o-search-preview", {"input_tokens": 9}),
        ("openrouter", "openai/gpt-5-search-api", {"input_tokens": 9}),
        ("openrouter", "perplexity/sonar-pro", {"input_tokens": 9}),
        ("cerebras", "qwen-3-coder-480b", {"input_tokens": 9}),
        ("mine", "deepseek/deepseek-r1:free", {"input_tokens": 9}),
        ("cohere", "rerank-v3.5", {"rerank_searches": -1}),
        ("cohere", "rerank-v3.5", {}),
    ],
)
def test_what_has_no_price_of_its_own_is_unknown(provider, model, counts):
    """Neither $0 nor what something else costs."""
    assert usd(provider, model, **counts) is None


@pytest.mark.parametrize("model", ["gpt-4o", "nobody-knows-this", "dall-e-3"])
def test_what_a_gateways_cache_answered_is_free(model):
    """Whatever it is, and whatever was counted."""
    assert usd("openai", model, "gateway_cache", output_tokens=3, image_count=1) == 0


def test_a_vendor_before_the_name_changes_nothing():
    """Nor does the price list's own name of the provider."""
    assert documented("google", "models/gemini-3-flash") == documented(
        "gemini", "Gemini-3-Flash"
    )

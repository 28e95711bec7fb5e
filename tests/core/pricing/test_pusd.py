"""Prices in whole 1e-12 USD: the same rule, faster, and bounds that hold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import PriceQuery, UserPrice, price_event
from lectr_lab.core.pricing.pusd import Pricer, whole_pusd

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MODELS = [
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-5"),
    ("openai", "gpt-4o-audio-preview"),
    ("openai", "text-embedding-3-small"),
    ("openai", "whisper-1"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-3-haiku-20240307"),
    ("gemini", "gemini-2.5-pro"),  # dearer above 200,000 tokens
    ("gemini", "gemini-2.5-flash-image"),
    ("groq", "llama-3.1-8b-instant"),
    ("deepseek", "deepseek-chat"),  # was priced by the hour
    ("openai", "nobody-knows-this"),
    ("openai", "mine"),
    (None, "gpt-4o"),
]
OWN = (
    UserPrice(
        model="mine",
        input_usd_per_mtok=Decimal("0.083333"),
        output_usd_per_mtok=Decimal(2),
    ),
)
LIST, WITH_OWN = Pricer(), Pricer(OWN)


def an_event(provider: str | None, model: str, **fields: Any) -> Event:
    usual: dict[str, Any] = {
        "event_id": bytes(16),
        "started_at": NOON,
        "org": "local",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 1.0,
        "provider": provider,
        "model_actual": model,
    }
    return Event(**usual | fields)


few = st.one_of(st.none(), st.integers(-1, 400_000))
counts = st.fixed_dictionaries(
    {
        "input_tokens": few,
        "output_tokens": few,
        "cache_read_tokens": few,
        "cache_write_tokens": few,
        "cache_write_1h_tokens": few,
        "reasoning_tokens": few,
    },
    optional={
        "input_audio_tokens": few,
        "output_image_tokens": few,
        "web_searches": st.integers(0, 3),
        "audio_seconds": st.sampled_from([0.0, 12.34]),
        "cost_stated_usd": st.sampled_from([0.0, 0.01]),
    },
)
sound_counts = st.builds(
    lambda sent, made, read, written, long, reasoned: {
        "input_tokens": sent,
        "output_tokens": made,
        "cache_read_tokens": min(read, sent),
        "cache_write_tokens": min(written, sent - min(read, sent)),
        "cache_write_1h_tokens": min(long, written, sent - min(read, sent)),
        "reasoning_tokens": min(reasoned, made),
    },
    *[st.integers(0, 400_000)] * 6,
)


@given(
    st.sampled_from(MODELS),
    st.one_of(counts, sound_counts),
    st.sampled_from([None, None, "priority", "flex", "batch", "unheard-of"]),
    st.sampled_from([0, 899, 900, 23_399, 59_400, 86_400 * 40]),
)
def test_a_request_costs_what_price_event_says(named, usage, tier, later_s):
    """To the 1e-12 USD, rounded up; unknown where that does not know."""
    at = NOON + timedelta(seconds=later_s)
    event = an_event(*named, service_tier=tier, started_at=at, **usage)

    for pricer, own in ((LIST, ()), (WITH_OWN, OWN)):
        usd = price_event(event, own)
        expected = None if usd is None else whole_pusd(usd)
        assert pricer.cost_pusd(event) == expected


@given(st.sampled_from(MODELS), sound_counts)
def test_no_token_costs_more_than_the_highest(named, usage):
    """Cached for an hour, reasoned, or beyond the length from which all are dearer."""
    event = an_event(*named, **usage)
    query = PriceQuery(event.provider, None, event.model_actual, None, None, NOON)

    cost, highest = LIST.cost_pusd(event), LIST.highest(query)

    if cost is not None and highest is not None:
        sent, made = usage["input_tokens"], usage["output_tokens"]
        assert cost <= sent * highest.input_pusd + made * highest.output_pusd


def test_what_is_not_sold_by_the_token_has_no_highest():
    """Nor what has no price."""
    for name in ("whisper-1", "nobody-knows-this"):
        assert LIST.highest(PriceQuery("openai", None, name, None, None, NOON)) is None


def test_heard_tokens_are_dearer():
    """Where a request may hold audio, each of its tokens may be audio."""
    query = PriceQuery("gemini", None, "gemini-2.5-flash", None, None, NOON)
    plain, heard = LIST.highest(query), LIST.highest(query, audio=True)

    assert plain is not None
    assert heard is not None
    assert heard.input_pusd > plain.input_pusd


def test_a_request_is_priced_in_microseconds():
    """The price of its kind is looked up once."""
    event = an_event(*MODELS[5], input_tokens=900, output_tokens=90, web_searches=0)
    pricer = Pricer()
    pricer.cost_pusd(event)

    assert cpu_s(lambda: [pricer.cost_pusd(event) for _ in range(1000)]) < 0.05

"""Event logs to look at: a frame from events, and made-up traffic."""

import math
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, tzinfo=UTC)

# name, provider, model, share of traffic, input tokens, output tokens, error share
FEATURES = [
    ("support-chat", "openai", "gpt-4o-2024-08-06", 0.30, 2400, 320, 0.012),
    ("search-answers", "openai", "gpt-4o-mini-2024-07-18", 0.28, 5200, 180, 0.004),
    ("report-writer", "anthropic", "claude-sonnet-4-5-20250929", 0.06, 9e3, 1900, 0.03),
    ("ticket-triage", "groq", "llama-3.1-8b-instant", 0.15, 700, 12, 0.02),
    ("invoice-reader", "gemini", "gemini-2.5-flash", 0.07, 3100, 240, 0.006),
    (None, "openai", "gpt-4o-2024-08-06", 0.11, 1800, 260, 0.015),
    ("nightly-batch", "azure", "our-own-llama", 0.03, 4000, 600, 0.0),
]
RHYTHM = [1 + 6 * math.exp(-((hour - 14) ** 2) / 18) for hour in range(24)]


@pytest.fixture(scope="session")
def log_of() -> Callable[[Iterable[Event]], pl.LazyFrame]:
    """Events as the log would give them: every column, in order."""
    return lambda events: frame(list(events)).lazy()


@pytest.fixture(scope="session")
def event() -> Callable[..., Event]:
    """One event with the fields given; a small priced chat request else."""
    return make_event


def make_event(**fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "event_id": bytes(16),
        "started_at": START,
        "org": "local",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "status": 200,
        "total_ms": 100.0,
        "provider": "openai",
        "model_requested": "gpt-4o-mini",
        "model_sent": "gpt-4o-mini",
        "model_actual": "gpt-4o-mini-2024-07-18",
        "input_tokens": 1000,
        "output_tokens": 500,
        "token_source": "provider",
    }
    return Event(**(defaults | fields))


@pytest.fixture(scope="session")
def traffic() -> pl.LazyFrame:
    """Two weeks of made-up traffic: seven features, five providers, a working day."""
    return frame(made_up_events(random.Random(7), n=3000)).lazy()


def made_up_events(rng: random.Random, n: int) -> list[Event]:
    """Nothing here was measured: shapes that look like a product's, from a seed."""
    chosen = rng.choices(FEATURES, [feature[3] for feature in FEATURES], k=n)
    return sorted((made_up(rng, *f) for f in chosen), key=lambda e: e.started_at)


def made_up(
    rng: random.Random,
    feature: str | None,
    provider: str,
    model: str,
    _share: float,
    input_mean: float,
    output_mean: float,
    error_share: float,
) -> Event:
    [hour] = rng.choices(range(24), RHYTHM)
    seconds = rng.random() * 3600
    named: dict[str, Any] = {
        "started_at": START
        + timedelta(days=rng.randrange(14), hours=hour, seconds=seconds),
        "feature": feature,
        "provider": provider,
        "model_requested": model,
        "model_sent": model,
        "model_actual": model,
        "retry_count": int(rng.random() < 0.02),
        "overhead_ms": rng.lognormvariate(-0.7, 0.4),
    }
    if rng.random() < error_share:
        return failed_event(**named)
    output = max(1, round(output_mean * rng.lognormvariate(-0.2, 0.6)))
    input_tokens = max(1, round(input_mean * rng.lognormvariate(-0.1, 0.5)))
    ttft = rng.lognormvariate(6.0, 0.4)
    streams = feature in ("support-chat", None)
    return make_event(
        **named,
        stream=streams,
        input_tokens=input_tokens,
        output_tokens=output,
        cache_read_tokens=input_tokens // 2 if rng.random() < 0.3 else None,
        reasoning_tokens=output // 3 if feature == "report-writer" else None,
        token_source="tokenizer" if streams and rng.random() < 0.05 else "provider",
        ttfb_ms=ttft * 0.9,
        ttft_ms=ttft if streams else None,
        total_ms=ttft + output * rng.lognormvariate(2.3, 0.3),
    )


@pytest.fixture(scope="session")
def failed() -> Callable[..., Event]:
    """A request that the provider refused: no tokens, and quick."""
    return failed_event


def failed_event(**fields: Any) -> Event:
    refusal: dict[str, Any] = {
        "outcome": "provider_error",
        "status": 429,
        "error_type": "rate_limit_error",
        "error_source": "provider",
        "input_tokens": None,
        "output_tokens": None,
        "token_source": "absent",
        "total_ms": 40.0,
    }
    return make_event(**(refusal | fields))

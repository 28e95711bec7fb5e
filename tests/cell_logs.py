"""Random logs with everything in them that cells, prices and views tell apart."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import UserPrice
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.log.schema import frame

DAYS = [datetime(2026, 10, 30, tzinfo=UTC) + timedelta(days=n) for n in range(-17, 4)]
DAYS = [*DAYS[:4], *DAYS[-4:]]  # prices change on the 14th, 15th and 16th

MODELS = [
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-5.4"),  # tiers of length
    ("anthropic", "claude-sonnet-4-5"),
    ("gemini", "gemini-2.5-pro"),
    ("azure", "deepseek-chat"),  # by the time of day
    ("deepseek", "deepseek-chat"),
    ("openrouter", "google/gemini-2.5-flash"),  # an uneven price
    ("openrouter", "perplexity/sonar-pro"),
    ("openrouter", "meta-llama/llama-3.3-70b-instruct:free"),
    ("perplexity", "sonar-pro"),  # so much a request
    ("groq", "whisper-large-v3"),
    ("openai", "gpt-4o-search-preview"),
    ("openai", None),
    ("mine", "our-own"),
    (None, "gpt-4o"),
]
MINE = UserPrice(
    model="our-*",
    input_usd_per_mtok=Decimal("0.1"),
    output_usd_per_mtok=Decimal("0.000001"),
)
usd = st.integers(0, 10**7).map(lambda n: Decimal(n) / 10**6)
user_prices = st.lists(
    st.builds(
        UserPrice,
        model=st.sampled_from(["*", "gpt-4o*", "our-*", "claude-*", "*flash"]),
        provider=st.sampled_from([None, None, "openai", "mine"]),
        input_usd_per_mtok=usd,
        output_usd_per_mtok=usd,
        cache_read_usd_per_mtok=st.none() | usd,
        cache_write_usd_per_mtok=st.none() | usd,
        web_search_usd=st.none() | usd,
        image_usd=st.none() | usd,
        first_day=st.none() | st.sampled_from(change_days(())[-6:]),
    ),
    max_size=3,
).map(tuple)
"""Lists of a user's own prices."""

OUTCOMES = ["ok"] * 8 + ["client_disconnect", "upstream_disconnect", "provider_error"]
OUTCOMES += ["timeout", "refused", "error_in_stream"]
FETCH = "/v1/responses/*"
PATHS = {"batches": "/v1/batches/*/results", "files": "/v1/files/*/content"}


def few(rng: Random) -> int | None:
    return rng.choice([None, 0, rng.randint(1, 40), rng.randint(0, 300_000)])


def rare(rng: Random) -> int | None:
    return rng.choice([None] * 12 + [0, 1, 3])


def usage(rng: Random) -> dict[str, Any]:
    """Counts of a reply; most of them fit together."""
    if rng.random() < 0.3:
        return {}
    edge = rng.choice([128_000, 200_000, 200_001])
    counts: dict[str, Any] = {
        "input_tokens": rng.choice([few(rng), few(rng), few(rng), edge]),
        "output_tokens": few(rng),
        "cache_read_tokens": few(rng),
        "cache_write_tokens": rare(rng),
        "reasoning_tokens": few(rng),
    }
    if rng.random() < 0.85:
        left = {"i": counts["input_tokens"] or 0, "o": counts["output_tokens"] or 0}
        for part in ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            way = "o" if part.startswith("r") else "i"
            if counts[part] is not None:
                counts[part] = min(counts[part], left[way])
                left[way] -= counts[part]
    others = ["input_audio_tokens", "output_image_tokens", "web_searches"]
    others += ["other_tool_calls", "image_count", "rerank_searches"]
    counts |= {name: rare(rng) for name in others if rng.random() < 0.12}
    counts["token_source"] = rng.choice(["provider"] * 5 + ["tokenizer"])
    return counts


def event(rng: Random, days: Sequence[datetime], features: Sequence[Any]) -> Event:
    """One request of a log of these days (moments of UTC)."""
    provider, model = rng.choice(MODELS)
    operations = ["chat"] * 12 + ["messages", "embeddings", "models", "other"]
    operations += ["batches", "files", "count_tokens", "responses"]
    operation = rng.choice(operations)
    path = rng.choice([PATHS.get(operation, f"/v1/{operation}"), "/v1/credits"])
    response = None
    if rng.random() < 0.15:
        operation = rng.choice(["responses", "responses", "other"])
        path = rng.choice([FETCH, "/v1/responses"])
        response = rng.choice(["resp_1", "resp_2", "resp_3", None])
    asked = rng.choice([model, "gpt-4o", None])

    def length() -> int | None:
        return rng.choice([None, rng.randint(0, 40), rng.randint(1, 2_000_000)])

    def ms(most: float) -> float | None:
        return rng.choice([None, 0.0, rng.random(), rng.random() * most])

    return Event(
        event_id=rng.randbytes(16),
        started_at=rng.choice(days)
        + timedelta(
            minutes=rng.choice([0, 5, 29, 30, 200, 600, 1439]),
            microseconds=rng.randint(0, 3),
        ),
        org=rng.choice(["acme", "acme", "globex"]),
        feature=rng.choice(features),
        task=rng.choice([None, "extraction"]),
        kind=rng.choice(["request"] * 6 + ["shadow"]),
        operation=operation,
        path=path,
        provider_response_id=response,
        provider=provider,
        model_actual=rng.choice([model, model, None]),
        model_sent=asked,
        model_requested=asked,
        service_tier=rng.choice([None] * 6 + ["flex", "gateway_cache", "x"]),
        inference_geo=rng.choice([None] * 5 + ["us"]),
        outcome=rng.choice(OUTCOMES),
        status=rng.choice([200, 200, 429, None]),
        error_type=rng.choice([None, "rate_limit_error"]),
        error_source=rng.choice([None, "provider"]),
        credential=rng.choice([None, "api_key", "plan"]),
        stream=rng.choice([True, True, False, None]),
        include_usage=rng.choice([True, False, None]),
        retry_count=rng.choice([None, 0, 0, 1, 2]),
        retry_of_failed=rng.choice([None, None, True, False]),
        cost_stated_usd=rng.choice([None] * 5 + [0.0, 0.0125, 1e-12, -1.0]),
        prompt_chars=length(),
        output_chars=length(),
        total_ms=ms(1e6) or 0.0,
        ttfb_ms=ms(1e5),
        ttft_ms=ms(1e5),
        overhead_ms=ms(10),
        session=rng.choice([None, "canary-session"]),
        user=rng.choice([None, "canary-user"]),
        trace_id=rng.choice([None, "canary-trace"]),
        **usage(rng),
    )


def logs(
    days: Sequence[datetime],
    *,
    most: int = 150,
    features: Sequence[str | None] = ("chat", "search", None),
) -> st.SearchStrategy[pl.DataFrame]:
    """Logs of these days; many of their models report enough to learn ratios from."""

    def made(seed: int, n: int) -> pl.DataFrame:
        rng = Random(seed)
        return frame([event(rng, days, features) for _ in range(n)])

    # From a seed, for to draw each field by itself takes most of a test's time.
    return st.builds(made, st.integers(0, 2**32), st.integers(1, most))


def cut(log: pl.DataFrame, pieces: int, dice) -> list[pl.DataFrame]:
    """A log's rows in so many files, at random."""
    places = pl.Series(
        [dice.randrange(pieces) for _ in range(log.height)], dtype=pl.Int8
    )
    return [log.filter(places == n) for n in range(pieces)]


def lab_of(folder: Path, seed: int, rows: int = 240) -> Path:
    """A lab of some files a day, with a late row or two in the next day's."""
    rng = Random(seed)
    files = {day: rng.randint(0, 2) for day in DAYS} | {DAYS[0]: 1}
    for day, n in files.items():
        part = folder / "log" / f"date={day.date()}"
        part.mkdir(parents=True)
        days = [day] * 9 + [max(DAYS[0], day - timedelta(days=1))]
        for number in range(n):
            some = [
                event(rng, days, ["chat", "search", None])
                for _ in range(rng.randint(1, rows // 4))
            ]
            frame(some).write_parquet(part / f"{number}.parquet")
    return folder

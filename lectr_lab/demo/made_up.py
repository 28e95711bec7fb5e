"""Four weeks of made-up traffic to look at: `python -m lectr_lab.demo.made_up data/demo`.

Nobody sent these requests. Their shapes are taken from published traces, a few figures
each with its source beside it; what has no source says "ours". The events go through
the journal and the sealer like any other; the same seed gives the same bytes.

Sources: Azure LLM inference trace 2023 (Microsoft, CC-BY-4.0; Splitwise, ISCA'24),
BurstGPT (CC-BY-4.0; KDD'25), Mooncake (Apache-2.0; FAST'25), ServeGen (Alibaba,
Apache-2.0), Exgentic agent traces (CDLA-Permissive-2.0), llmperf leaderboard
(Apache-2.0). Medians and spreads (standard deviation of the logarithm) are of the
parts of these that we could read.
"""

import random
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.scan import MADE_UP
from lectr_lab.core.event import Event
from lectr_lab.core.event_values import Operation
from lectr_lab.core.ids import event_id
from lectr_lab.demo.agent_sessions import CLIENT, CLIENT_VERSION, TURNS, session, starts
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.schema import file_metadata
from lectr_lab.log.seal import seal

START = datetime(2026, 10, 26, tzinfo=UTC)  # a Monday
WEEKS = 4
REQUESTS = 16_000
SEED = 20261026

# ServeGen, model m-large: requests per local hour over their mean. Taken as UTC.
HOURLY = [
    0.91, 0.90, 0.82, 0.82, 0.80, 0.75, 0.62, 0.62, 0.71, 0.87, 1.01, 1.22,
    1.05, 1.13, 1.19, 1.22, 1.26, 1.20, 1.10, 1.10, 1.18, 1.13, 1.25, 1.13,
]  # fmt: skip
WEEKEND = 0.55  # ours
BURSTINESS = 1.23  # ServeGen: median coefficient of variation of the gaps
RATE_LIMITED = 0.73  # llmperf: share of 429 among errors
TTFT_SPREAD = 0.38  # llmperf: spread of the time to first token, bedrock
LEFT_EARLY = 0.01  # ours: clients that close a stream
UNTAGGED = 0.15  # ours
OK = 200

SLOW = (datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 12, tzinfo=UTC), 3.0)
"""From, to, and how many times slower document-qa is then: ours."""

DEAR = (datetime(2026, 11, 17, tzinfo=UTC), datetime(2026, 11, 18, tzinfo=UTC), 6.0)
"""From, to, and how many times longer the prompts of coding-agent are then: ours."""

CLOCK = (datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
"""From and to: a clock stands in the system prompt of coding-agent, ours."""


class Tokens(NamedTuple):
    """A log-normal number of tokens."""

    median: float
    spread: float  # standard deviation of the logarithm


class Feature(NamedTuple):
    """One feature of a product that does not exist."""

    name: str
    task: str
    provider: str
    model: str
    share: float  # of all requests: ours
    prompt: Tokens
    answer: Tokens
    ttft_ms: float  # median
    token_ms: float  # per token of the answer
    failing: float
    cached: float = 0.0  # share of the prompt, where any is
    stream: bool = False
    usage: bool = True  # a stream reports its tokens
    operation: Operation = "chat"
    tier: str | None = None
    reasons: bool = False  # 40 % of the answer is reasoning: ours
    client: tuple[str, str] = ("openai-python", "3.57.0")
    customers: int = 0  # whose requests these are, said with X-Lectr-User: ours
    sessions: bool = False  # of an agent


CONV = Tokens(1033, 0.97), Tokens(134, 0.90)  # Azure 2023, service conv
CODE = Tokens(1465, 1.34), Tokens(13, 0.84)  # Azure 2023, service code
CHAT = Tokens(353, 1.51), Tokens(238, 1.31)  # BurstGPT, first 400 requests
DOCUMENT = Tokens(7640, 1.21), Tokens(356, 1.38)  # Mooncake, conversation
AGENT = Tokens(27_376, 0.67), Tokens(105, 0.92)  # Exgentic agent spans
BURST, AGENTS = 0.0425, 0.078  # failing: BurstGPT (17 of 400), Exgentic agent spans
REUSED = 0.35  # Mooncake: prompt tokens seen before
FIREWORKS, TOGETHER = (360, 19.7), (540, 11.5)  # llmperf: ttft, per token
ANYSCALE, BEDROCK = (200, 14.3), (270, 26.5)

FEATURES = (
    Feature("support-chat", "generation", "openai", "gpt-5.4-mini-2026-03-17", 0.27,
            *CONV, *TOGETHER, 0.012, stream=True, tier="default",
            client=("openai-node", "7.4.0"), customers=40),
    Feature("search-answers", "summarisation", "openai", "gpt-4.1-mini-2025-04-14", 0.14,
            *CHAT, *FIREWORKS, BURST, tier="default"),
    Feature("onboarding-assistant", "generation", "openai", "gpt-4.1-mini-2025-04-14",
            0.10, *CONV, *FIREWORKS, 0.012, stream=True, usage=False, tier="default"),
    Feature("code-completion", "generation", "groq", "openai/gpt-oss-120b", 0.17,
            *CODE, *ANYSCALE, 0.02, stream=True, tier="on_demand",
            client=("groq-python", "1.7.0")),
    Feature("ticket-triage", "classification", "groq", "openai/gpt-oss-20b", 0.12,
            CHAT[0], CODE[1], *ANYSCALE, BURST, tier="on_demand",
            client=("groq-python", "1.7.0")),
    Feature("document-qa", "extraction", "gemini", "gemini-3.8-flash", 0.09,
            *DOCUMENT, *TOGETHER, 0.02, cached=REUSED, customers=12),
    Feature("coding-agent", "reasoning", "anthropic", "claude-sonnet-5-5", 0.05,
            *AGENT, *BEDROCK, AGENTS, stream=True, operation="messages",
            tier="standard", client=(CLIENT, CLIENT_VERSION), sessions=True),
    Feature("report-writer", "summarisation", "azure", "gpt-5.4-2026-03-05", 0.04,
            DOCUMENT[0], CHAT[1], *BEDROCK, 0.02, reasons=True),
    Feature("nightly-enrichment", "extraction", "openai", "gpt-5.4-mini-2026-03-17", 0.02,
            *CHAT, *TOGETHER, 0.02, tier="flex"),
)  # fmt: skip

_PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
_CHARS = 4.2  # per token: ours, a common rule of thumb for English
_WORKING_DAYS = WEEKS * (5 + 2 / 3)  # a weekend's day counts a third
_MOST_PROMPT, _MOST_ANSWER = 200_000, 16_000  # tokens


def events(seed: int = SEED, requests: int = REQUESTS) -> list[Event]:
    """The traffic, in the order of time.

    Args:
        seed: the same seed gives the same events.
        requests: about how many.

    >>> made = events(requests=50)
    >>> made == events(requests=50), {e.org for e in made}
    (True, {'made-up-data'})
    """
    made = [
        event for feature in FEATURES for event in _of_feature(seed, feature, requests)
    ]
    return sorted(made, key=lambda event: event.event_id)


def _of_feature(seed: int, feature: Feature, requests: int) -> Iterator[Event]:
    if feature.sessions:
        a_day = feature.share * requests / TURNS / _WORKING_DAYS
        moments = starts(f"{seed} {feature.name}", START, 7 * WEEKS, a_day)
        for n, start in enumerate(moments):
            yield from _of_session(f"{seed} {feature.name} {n}", feature, start)
        return
    for n, at in enumerate(_arrivals(seed, feature, requests)):
        rng = random.Random(f"{seed} {feature.name} {n}")
        untagged = rng.random() < UNTAGGED
        prompt = _drawn(rng, feature.prompt, _MOST_PROMPT)
        client, version = feature.client
        who = {"client": client, "client_version": version, "credential": "api_key"}
        if feature.customers:
            rank = random.Random(f"{seed} whose {feature.name} {n}").paretovariate(0.9)
            who["user"] = f"customer-{min(int(rank), feature.customers):02d}"
        yield _event(rng, feature, at, prompt, untagged, who)


def _of_session(seed: str, feature: Feature, start: datetime) -> Iterator[Event]:
    """A session is tagged or it is not, and what failed is asked again."""
    untagged = random.Random(f"{seed} tagged").random() < UNTAGGED
    failed = False
    for n, turn in enumerate(session(seed, start, CLOCK, DEAR)):
        if turn.at >= START + timedelta(weeks=WEEKS):
            return
        rng = random.Random(f"{seed} {n}")
        columns = turn.columns | ({"retry_of_failed": True} if failed else {})
        event = _event(
            rng, feature, turn.at, turn.prompt, untagged, columns, turn.usage
        )
        failed = event.status != OK
        yield event


def _arrivals(seed: int, feature: Feature, requests: int) -> Iterator[datetime]:
    """Bursty moments whose rate follows the hours of the day and the week."""
    rng = random.Random(f"{seed} {feature.name}")
    until = list(accumulate(_rate(feature, h) for h in range(24 * 7 * WEEKS)))
    mean_gap = until[-1] / (feature.share * requests)
    shape = BURSTINESS**-2
    passed = 0.0
    while (passed := passed + rng.gammavariate(shape, mean_gap / shape)) < until[-1]:
        hour = bisect_right(until, passed)
        before = until[hour - 1] if hour else 0.0
        part = (passed - before) / (until[hour] - before)
        yield START + timedelta(microseconds=int((hour + part) * 3_600_000_000))


def _rate(feature: Feature, hour: int) -> float:
    if feature.tier == "flex":
        return float(hour % 24 in (1, 2, 3))  # it runs at night
    return HOURLY[hour % 24] * (WEEKEND if hour // 24 % 7 >= 5 else 1.0)


def _event(
    rng: random.Random,
    feature: Feature,
    at: datetime,
    prompt: int,
    untagged: bool,
    who: dict[str, Any],
    cache: dict[str, Any] | None = None,
) -> Event:
    unix_ms = int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    facts: dict[str, Any] = {
        "event_id": event_id(unix_ms, rng.getrandbits(80)),
        "started_at": at,
        "org": MADE_UP,
        "feature": None if untagged else feature.name,
        "feature_valid": None if untagged else True,
        "task": None if untagged else feature.task,
        "path": _PATHS[feature.operation],
        "operation": feature.operation,
        "provider": feature.provider,
        "provider_source": "header" if feature.provider == "azure" else "model",
        "model_requested": feature.model,
        "model_sent": feature.model,
        "stream": feature.stream,
        "include_usage": feature.usage if feature.stream else None,
        "prompt_chars": round(prompt * _CHARS * rng.uniform(0.9, 1.1)),
        "overhead_ms": _ms(rng.lognormvariate(-0.7, 0.4)),
        "request_read": True,
        **who,
    }
    if rng.random() < feature.failing:
        return Event(**facts | _failure(rng))
    return Event(**facts | _answer(rng, feature, at, prompt, cache))


def _failure(rng: random.Random) -> dict[str, Any]:
    """What a provider refuses, in the shares of llmperf: mostly too many requests."""
    limited = rng.random() < RATE_LIMITED
    return {
        "status": 429 if limited else 500,
        "outcome": "provider_error",
        "error_type": "rate_limit_error" if limited else "server_error",
        "error_source": "provider",
        "retry_count": int(rng.random() < 0.3),
        "ttfb_ms": (first := _ms(rng.lognormvariate(4.4, 0.5))),
        "total_ms": _ms(first + 1),
    }


def _answer(
    rng: random.Random,
    feature: Feature,
    at: datetime,
    prompt: int,
    cache: dict[str, Any] | None,
) -> dict[str, Any]:
    answer = _drawn(rng, feature.answer, _MOST_ANSWER)
    slow = feature.name == "document-qa" and SLOW[0] <= at < SLOW[1]
    times = SLOW[2] if slow else 1.0
    first = times * feature.ttft_ms * rng.lognormvariate(0, TTFT_SPREAD)
    rest = times * answer * feature.token_ms * rng.lognormvariate(0, 0.2)
    left = feature.stream and rng.random() < LEFT_EARLY
    told = (feature.usage or not feature.stream) and not left
    return {
        "status": OK,
        "outcome": "client_disconnect" if left else "ok",
        "model_actual": feature.model,
        "finish_reason": None if left else "stop",
        "choice_count": 1,
        "service_tier": feature.tier,
        "ttfb_ms": _ms(0.95 * first if feature.stream else first + rest),
        "ttft_ms": _ms(first) if feature.stream else None,
        "total_ms": _ms(first + rest),
        "output_chars": round(answer * _CHARS * rng.uniform(0.9, 1.1)),
        **(_usage(rng, feature, prompt, answer) | (cache or {}) if told else {}),
    }


def _usage(
    rng: random.Random, feature: Feature, prompt: int, answer: int
) -> dict[str, Any]:
    reused = rng.random() * 2 * feature.cached
    return {
        "token_source": "provider",
        "input_tokens": prompt,
        "output_tokens": answer,
        "cache_read_tokens": int(prompt * reused) if feature.cached else None,
        "reasoning_tokens": int(0.4 * answer) if feature.reasons else None,
    }


def _drawn(rng: random.Random, tokens: Tokens, most: int) -> int:
    drawn = tokens.median * rng.lognormvariate(0, tokens.spread)
    return min(max(1, round(drawn)), most)


def _ms(value: float) -> float:
    return round(value, 1)


def write(folder: Path, seed: int = SEED) -> list[Path]:
    """Write the traffic as Parquet parts, a week each, by way of a lab of its own.

    Args:
        folder: where the parts go; those of the same name are replaced.

    Returns:
        The parts.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lectr-made-up-") as scratch:
        lab = LabFolder.create(Path(scratch) / "lab")
        writer = JournalWriter(lab)
        writer.append(events(seed))
        writer.close()
        seal(lab)
        rows = pl.read_parquet(
            sorted(lab.log.rglob("*.parquet")), hive_partitioning=False
        )
    rows = rows.sort("event_id")  # segments have random names
    return [_write_week(rows, folder, week) for week in range(WEEKS)]


def _write_week(rows: pl.DataFrame, folder: Path, week: int) -> Path:
    first = START + timedelta(weeks=week)
    part = folder / f"{first:%Y-%m-%d}.parquet"
    of_week = pl.col("started_at").is_between(first, first + timedelta(weeks=1), "left")
    rows.filter(of_week).write_parquet(
        part, compression="zstd", compression_level=19, metadata=file_metadata()
    )
    return part


if __name__ == "__main__":
    write(Path(sys.argv[1]))

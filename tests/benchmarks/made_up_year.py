"""A year of made-up traffic, a compacted part a day, from a seed: what memory is measured on.

    python tests/benchmarks/made_up_year.py LAB [days, default 365]

About 274,000 rows a day, so that 37 days are 10 million rows, 110 are 30 and 365 are 100.
Three orgs; 120 features by Zipf's law, some without a name; seven tasks, none among them;
ten models; the hours of a day and the days of a week; 60 % streams, of which one in twenty
reports no tokens; 3.5 % that failed or were left; caches; a few very long prompts; and a
third in sessions of a coding agent, whose prompts were watched. A day depends on its date
alone: a shorter log is the beginning of a longer one. Days that are there stay.
"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from lectr_lab.log.schema import file_metadata, polars_schema
from lectr_lab.log.upkeep.merge import SORTED_BY

ROWS_A_DAY = 274_000
DAYS = 365
FIRST = date(2025, 11, 29)
MODELS = [  # provider, model, how slow, share, reasons
    ("openai", "gpt-5.4-mini-2026-03-17", 1.0, 0.22, True),
    ("openai", "gpt-4.1-mini-2025-04-14", 0.9, 0.14, False),
    ("openai", "gpt-4o-2024-08-06", 1.3, 0.10, False),
    ("openai", "gpt-4o-mini-2024-07-18", 0.8, 0.12, False),
    ("anthropic", "claude-sonnet-5-5", 1.8, 0.14, False),
    ("anthropic", "claude-3-5-haiku-20241022", 0.9, 0.06, False),
    ("gemini", "gemini-3.8-flash", 0.7, 0.08, False),
    ("gemini", "gemini-2.5-pro", 1.6, 0.05, True),
    ("groq", "openai/gpt-oss-120b", 0.4, 0.05, True),
    ("azure", "gpt-5.4-2026-03-05", 1.5, 0.04, True),
]
ORGS = ["acme", "globex", "initech"]
TASKS = [None, "classification", "summarisation", "extraction", "generation"]
TASKS += ["reasoning", "other-task"]
_WEEK = [1.15, 1.2, 1.2, 1.15, 1.05, 0.6, 0.65]
_HOURS = [2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 12, 11, 10, 8, 6, 5, 5, 4, 3]
_HOURS += [2]
_OUTCOMES = ["ok", "provider_error", "client_disconnect", "error_in_stream", "timeout"]
_OUTCOME_SHARES = [0.965, 0.02, 0.008, 0.004, 0.003]
_BREAKS = ["first", "none", "history", "system", "tools"]
_BREAK_SHARES = [0.05, 0.8, 0.08, 0.05, 0.02]
_A_SESSION = 25  # requests, about


class Callers(NamedTuple):
    """What calls what: a row per org, feature, task and model, and the share of each."""

    table: pl.DataFrame
    shares: np.ndarray


def callers(features: int = 120) -> Callers:
    """Who there is, from a seed."""
    rng = np.random.default_rng(3)
    model_shares = [model[3] for model in MODELS]
    rows, weights = [], []
    for nth in range(features):
        org = ORGS[rng.choice(len(ORGS), p=[0.6, 0.3, 0.1])]
        name = None if nth == 4 else f"feature-{nth:03}"
        tasks = rng.choice(
            len(TASKS),
            size=1 + int(rng.random() < 0.3),
            replace=False,
            p=[0.45, 0.12, 0.12, 0.11, 0.15, 0.04, 0.01],
        )
        several = 1 + int(rng.random() < 0.5) + int(rng.random() < 0.2)
        models = rng.choice(len(MODELS), size=several, replace=False, p=model_shares)
        for task in tasks:
            for which in models:
                provider, model, slow, _, reasons = MODELS[which]
                sizes = rng.normal(6.9, 0.7), rng.normal(4.7, 0.6)
                who = (nth, org, name, TASKS[task], provider, model, nth % 3 == 0)
                rows.append((*who, slow, reasons, *sizes))
                weights.append((nth + 1) ** -1.05 * rng.uniform(0.2, 1))
    names = ["nth", "org", "feature", "task", "provider", "model", "is_agent", "slow"]
    names += ["reasons", "prompt", "answer"]
    shares = np.array(weights)
    return Callers(pl.DataFrame(rows, names, orient="row"), shares / shares.sum())


def day_rows(day: date, n: int, who: Callers) -> pl.DataFrame:
    """One day's rows, in the columns of the log."""
    rng = np.random.default_rng(day.toordinal())
    of = who.table[rng.choice(len(who.shares), n, p=who.shares)]
    hours = np.array(_HOURS) / sum(_HOURS)
    hour_us = 3_600_000_000
    us = rng.choice(24, n, p=hours) * hour_us + rng.integers(0, hour_us, n)
    began = datetime(day.year, day.month, day.day, tzinfo=UTC)
    at = int(began.timestamp()) * 1_000_000 + us
    stream = rng.random(n) < 0.6
    silent = stream & (rng.random(n) < 0.05)
    outcome = rng.choice(len(_OUTCOMES), n, p=_OUTCOME_SHARES)
    ok = outcome == 0
    counted = ok & ~silent
    long = np.where(rng.random(n) < 0.002, 150, 1)
    sent = np.exp(of["prompt"].to_numpy() + rng.normal(0, 0.8, n)) * long
    sent = np.minimum(sent.astype(np.int64) + 1, 900_000)
    made = np.exp(of["answer"].to_numpy() + rng.normal(0, 0.8, n)).astype(np.int64) + 1
    reads = counted & (rng.random(n) < 0.35)
    read = np.where(reads, (sent * rng.uniform(0.3, 0.9, n)).astype(np.int64), 0)
    may_write = counted & (of["provider"] == "anthropic").to_numpy()
    writes = may_write & (rng.random(n) < 0.2)
    written = ((sent - read) * rng.uniform(0.1, 0.9, n)).astype(np.int64)
    reasoned = (made * rng.uniform(0.2, 0.8, n)).astype(np.int64)
    total_ms = of["slow"].to_numpy() * (300 + made * 9) * np.exp(rng.normal(0, 0.45, n))
    ttfb_ms = total_ms * rng.uniform(0.05, 0.4, n)
    sent_chars = (sent * rng.normal(4, 0.3, n)).astype(np.int64).clip(1)
    made_chars = (made * rng.normal(4, 0.3, n)).astype(np.int64).clip(1)
    asked = of["model"].str.replace(r"-\d{4}-?\d\d-?\d\d$", "")
    columns = {
        "event_id": _ids(at, rng),
        "started_at": pl.Series(at).cast(pl.Datetime("us", "UTC")),
        **{name: of[name] for name in ("org", "feature", "task", "provider")},
        "feature_valid": _where(np.ones(n, bool), of["feature"].is_not_null()),
        "kind": _all("request", n),
        "path": _all("/v1/chat/completions", n),
        "operation": _all("chat", n),
        "provider_source": _all("model", n),
        "credential": _all("api_key", n),
        "model_requested": asked,
        "model_sent": asked,
        "model_actual": _where(of["model"], ok | (outcome == 2)),
        "stream": pl.Series(stream),
        "include_usage": pl.Series(stream & ~silent),
        "status": _where(
            np.where(outcome == 1, rng.choice([429, 500, 503], n), 200), outcome != 4
        ),
        "outcome": pl.Series(_OUTCOMES)[outcome],
        "error_type": _where(_all("rate_limit_exceeded", n), outcome == 1),
        "error_source": _where(_all("provider", n), (outcome == 1) | (outcome >= 3)),
        "finish_reason": _where(_all("stop", n), ok),
        "choice_count": _where(np.ones(n, np.int64), ok),
        "retry_count": pl.Series((rng.random(n) < 0.01).astype(np.int64)),
        "total_ms": pl.Series(total_ms.round(3)),
        "ttfb_ms": _where(ttfb_ms.round(3), outcome != 4),
        "ttft_ms": _where((ttfb_ms * rng.uniform(1, 1.4, n)).round(3), ok & stream),
        "overhead_ms": pl.Series(np.exp(rng.normal(-0.5, 0.4, n)).round(3)),
        "input_tokens": _where(sent, counted),
        "output_tokens": _where(made, counted),
        "cache_read_tokens": _where(read, reads),
        "cache_write_tokens": _where(written, writes),
        "reasoning_tokens": _where(reasoned, counted & of["reasons"].to_numpy()),
        "token_source": _where(_all("provider", n), counted),
        "prompt_chars": pl.Series(sent_chars),
        "output_chars": _where(made_chars, ok),
        "request_bytes": pl.Series(sent * 4 + 300),
        "response_bytes": _where(made * 5 + 400, ok),
        "message_count": pl.Series(rng.integers(1, 9, n)),
        "temperature": _where(np.zeros(n), rng.random(n) < 0.3),
        "max_output_tokens": _where(np.full(n, 4096), rng.random(n) < 0.4),
        **{name: _all(False, n) for name in ("has_tools", "has_images", "has_audio")},
        "response_format": _all("text", n),
        **_run(rng, day, of, sent_chars),
    }
    schema = polars_schema()
    rest = [pl.lit(None, t).alias(c) for c, t in schema.items() if c not in columns]
    found = pl.DataFrame(columns).with_columns(rest)
    typed = found.select(pl.col(c).cast(t) for c, t in schema.items())
    return typed.sort(SORTED_BY, nulls_last=True)


def _run(
    rng: np.random.Generator, day: date, of: pl.DataFrame, chars: np.ndarray
) -> dict[str, pl.Series]:
    """Which session asked, and how its prompt began."""
    n, is_agent = of.height, of["is_agent"].to_numpy()
    sessions = pl.len().over("nth") // _A_SESSION + 1  # of each feature in a day
    which = (pl.lit(pl.Series(rng.random(n))) * sessions).cast(pl.Int64)
    number = (day.toordinal() * 1_000 + pl.col("nth")) * 100_000 + which
    ids = of.select(number.cast(pl.String).str.zfill(16)).to_series()
    why = pl.Series(_BREAKS)[rng.choice(len(_BREAKS), n, p=_BREAK_SHARES)]
    before = (chars * rng.uniform(0.6, 0.95, n)).astype(np.int64)
    kept = np.where((why == "none").to_numpy(), before, (before * 0.4).astype(np.int64))
    watched = is_agent & (why != "first").to_numpy()
    return {
        "client": _where(_all("claude-code", n), is_agent),
        "session": _where("01a228ed-95bb-7921-" + ids, is_agent),
        "prefix_break": _where(why, is_agent),
        "prefix_chars": _where(before, watched),
        "prefix_kept_chars": _where(kept, watched),
        "idle_s": _where(np.exp(rng.normal(3.0, 1.6, n)).round(1), watched),
    }


def _ids(at_us: np.ndarray, rng: np.random.Generator) -> pl.Series:
    """As a UUIDv7 has them: the time, then chance."""
    n = len(at_us)
    ids = np.empty((n, 16), np.uint8)
    ids[:, :6] = (at_us // 1000).astype(">u8").view(np.uint8).reshape(n, 8)[:, 2:]
    ids[:, 6:] = rng.integers(0, 256, (n, 10), np.uint8)
    return pl.Series([row.tobytes() for row in ids], dtype=pl.Binary)


def _all(value: object, n: int) -> pl.Series:
    return pl.repeat(value, n, eager=True)


def _where(values: pl.Series | np.ndarray, there: pl.Series | np.ndarray) -> pl.Series:
    """Values where there are some, else null."""
    some = pl.when(pl.Series(there)).then(pl.Series(values))
    return pl.select(some).to_series()


def part(lab: Path, nth: int) -> Path:
    """The file of a day, counted from 0."""
    return lab / "log" / f"date={FIRST + timedelta(nth)}" / f"{nth:032x}.parquet"


def make(lab: Path, days: int) -> int:
    """Write the first days of the year, one by one; how many rows they have."""
    who, total = callers(), 0
    for nth in range(days):
        day = FIRST + timedelta(days=nth)
        n = int(ROWS_A_DAY * _WEEK[day.weekday()])
        file, total = part(lab, nth), total + n
        if file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".tmp")
        rows = day_rows(day, n, who)
        rows.write_parquet(
            aside,
            compression="zstd",
            compression_level=3,
            row_group_size=n,
            metadata=file_metadata(),
        )
        aside.rename(file)
    return total


def beginning(year: Path, days: int, lab: Path) -> Path:
    """A lab of the first days of a year, by links to its files."""
    for nth in range(days):
        link = part(lab, nth)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.hardlink_to(part(year, nth))
    return lab


if __name__ == "__main__":
    asked = int(sys.argv[2]) if sys.argv[2:] else DAYS
    sys.stdout.write(f"{make(Path(sys.argv[1]), asked):,} rows\n")

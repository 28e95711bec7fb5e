"""What the log and a provider's own usage export disagree on, and for how much.

Per day and model, the difference in money is the sum of three parts:

- rows: requests that the export has and the log has not (negative: the other way
  round), at what a request of the export costs on average;
- tokens: what is left of the difference in tokens, at our price;
- price: what the provider charged beyond that, where a cost export is given too.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.reconcile.result import Reconciliation
from lectr_lab.analysis.reconcile.usage_export import (
    Charged,
    Export,
    Used,
    read_export,
)
from lectr_lab.analysis.views import rows
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import PriceList, price_event

_COUNTS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
_SCHEMA = {
    "day": pl.Date,
    "model": pl.String,
    "their_requests": pl.Int64,
    "our_requests": pl.Int64,
    "rows_missing": pl.Int64,
    "rows_usd": pl.Float64,
    "input_tokens_missing": pl.Int64,
    "cache_read_tokens_missing": pl.Int64,
    "output_tokens_missing": pl.Int64,
    "tokens_usd": pl.Float64,
    "price_usd": pl.Float64,
    "their_usd": pl.Float64,
    "our_usd": pl.Float64,
}
_PROBE = 1_000  # tokens: below every tier of long prompts

_MORE = (
    "{file} is not the last page of its export: what is on the others looks as if the "
    "provider had not counted it. Write all pages into one JSON list."
)

Key = tuple[date, str]


def reconcile(
    log: pl.LazyFrame,
    export: Path | str,
    *,
    costs: Path | str | None = None,
    prices: PriceList | Path | str = (),
) -> Reconciliation:
    """Explain the difference between a log and a provider's own usage.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        export: a usage export of OpenAI or Anthropic: JSON of their usage API, asked
            for by model, or a CSV of their dashboards.
        costs: the same provider's cost export, for what was really charged.
        prices: the user's own prices, or the file that has them, as given to `scan`.

    Returns:
        Per day and model the requests missing, the tokens counted differently and
        another price, each with its amount in USD; and their sum in a sentence.

    Raises:
        ConfigError: an export is none that is known, or in the other's place.
    """
    used = read_export(Path(export))
    if not used.used:
        raise ConfigError(
            f"{export} has no usage in it. Give the usage export first, and what was "
            "charged as costs."
        )
    charged = None if costs is None else read_export(Path(costs))
    if charged and (charged.provider != used.provider or not charged.charged):
        raise ConfigError(f"{costs} is not a cost export of {used.provider}.")
    files = ((export, used), (costs, charged))
    return Reconciliation(
        provider=used.provider,
        differences=differences(
            counted(log, used).collect(),
            used,
            charged.charged if charged else (),
            read_prices(prices) if isinstance(prices, Path | str) else prices,
        ),
        notes=tuple(_MORE.format(file=f) for f, one in files if one and one.has_more),
    )


def counted(log: pl.LazyFrame, export: Export) -> pl.LazyFrame:
    """The log's own counts in the export's terms: per day of UTC and model.

    Only the provider's rows are counted, of the days from the export's first to its
    last, and only answers: a provider bills no failure. What a plan covered is on its
    own bill, and in no export of an API's usage.
    """
    days = {*export.days, *(used.day for used in export.used)}
    day = pl.col("started_at").dt.date().alias("day")
    answered = pl.col("input_tokens").is_not_null() | rows.uncounted()
    billed = ~rows.covered_by_plan().fill_null(False)
    return (
        log.filter(pl.col("provider") == export.provider, answered, billed)
        .with_columns(day)
        .filter(pl.col("day").is_between(min(days), max(days)) if days else False)
        .group_by("day", rows.model().str.to_lowercase())
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col(_COUNTS).sum(),
            pl.col("cost_usd").sum(),
        )
    )


def differences(
    ours: pl.DataFrame,
    export: Export,
    charged: Iterable[Charged] = (),
    prices: PriceList = (),
) -> pl.DataFrame:
    """What the log lacks of an export, or has beyond it, largest amount first.

    Args:
        ours: `counted(log, export)`, collected.
        export: a provider's usage.
        charged: the same provider's costs, where there is an export of them.
        prices: the user's own prices.

    Returns:
        A row per day and model that either has, or that was charged on a day of the
        export: `day`, `model`, `their_requests` (null
        where the export does not say), `our_requests`, `rows_missing`, `rows_usd`,
        `input_tokens_missing` (all input), `cache_read_tokens_missing`,
        `output_tokens_missing`, `tokens_usd`, `price_usd` (null without costs),
        `their_usd` (charged, or else at our price), `our_usd`. Amounts are null where
        no price is known. The three parts add up to `their_usd` less `our_usd`.
    """
    theirs = _by_key(export.used)
    mine = {(row["day"], row["model"]): row for row in ours.iter_rows(named=True)}
    costs = _costs(charged, {*theirs, *mine}, export.days)
    found = [
        _difference(
            key,
            theirs.get(key),
            mine.get(key),
            costs.get(key),
            _usd_per_token(export.provider, key, prices),
        )
        for key in sorted({*theirs, *mine, *costs})
    ]
    amounts = ("rows_usd", "tokens_usd", "price_usd")
    size = pl.sum_horizontal(pl.col(amounts).abs())
    return pl.DataFrame(found, _SCHEMA, orient="row").sort(
        size, "day", "model", descending=[True, False, False]
    )


def _costs(
    charged: Iterable[Charged], used: set[Key], days: Container[date]
) -> dict[Key, float]:
    """What was charged by day and model, which the Console names "Claude Sonnet 4.5"."""
    costs: dict[Key, float] = defaultdict(float)
    for line in charged:
        key = (line.day, line.model.lower())
        alike = [k for k in used if k[0] == line.day and _words(k[1]) == _words(key[1])]
        if key not in used and len(alike) == 1:
            [key] = alike
        if key in used or line.day in days:
            costs[key] += line.usd
    return costs


def _words(model: str) -> list[str]:
    """What a model's names have in common, whatever their order: no date."""
    return sorted(re.findall(r"[a-z]+|\d+", re.sub(r"-\d{8}$", "", model)))


def _by_key(used: Sequence[Used]) -> dict[Key, dict[str, Any]]:
    """One row per day and model: an export may have one per key, project or tier."""
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in used:
        counts = {name: getattr(row, name) for name in _COUNTS}
        sums[row.day, row.model.lower()].update(counts, requests=row.requests or 0)
    has_requests = any(row.requests is not None for row in used)
    return {
        key: {**counts, "requests": counts["requests"] if has_requests else None}
        for key, counts in sums.items()
    }


def _difference(
    key: Key,
    theirs: dict[str, Any] | None,
    mine: dict[str, Any] | None,
    charged: float | None,
    prices: dict[str, Decimal] | None,
) -> tuple[Any, ...]:
    nothing = dict.fromkeys((*_COUNTS, "requests"), 0)
    they, we = theirs or nothing, mine or {**nothing, "cost_usd": 0.0}
    missing = None if they["requests"] is None else they["requests"] - we["requests"]
    lack = {name: they[name] - we[name] for name in _COUNTS}
    rows_usd = tokens_usd = price_usd = their_usd = our_usd = None
    if theirs is None and mine is None:  # charged for something else than tokens
        rows_usd, tokens_usd, our_usd = 0.0, 0.0, 0.0
        price_usd = their_usd = charged
    elif prices is not None:
        listed, tokens = _usd(they, prices), _usd(lack, prices)
        rows_usd = _rows_usd(they, we, missing, listed, tokens)
        tokens_usd = tokens - rows_usd
        # Ours may be above the plain price too: long prompts, tiers, estimates.
        our_usd = we["cost_usd"]
        beyond = our_usd - (listed - tokens)
        their_usd = listed + beyond if charged is None else charged
        price_usd = None if charged is None else charged - listed - beyond
    return (
        *key,
        they["requests"],
        we["requests"],
        missing,
        rows_usd,
        lack["input_tokens"],
        lack["cache_read_tokens"],
        lack["output_tokens"],
        tokens_usd,
        price_usd,
        their_usd,
        our_usd,
    )


def _rows_usd(
    they: dict[str, Any],
    we: dict[str, Any],
    missing: int | None,
    listed: float,
    tokens: float,
) -> float:
    """What the missing requests cost; all of it where one side has none at all."""
    if not we["requests"] or not any(they[name] for name in _COUNTS):
        return tokens
    if missing is None or not they["requests"]:
        return 0.0  # the export does not count requests
    return missing * listed / they["requests"]


def _usd(counts: dict[str, Any], prices: dict[str, Decimal]) -> float:
    return float(sum(counts[name] * usd for name, usd in prices.items()))


def _usd_per_token(
    provider: str, key: Key, prices: PriceList
) -> dict[str, Decimal] | None:
    """What a token of each count adds to a bill, at the plain price of the day.

    A part, such as what was read from a cache, adds what it costs beyond other input.
    """
    probe = Event(
        event_id=bytes(16),
        started_at=datetime.combine(key[0], time(12), UTC),
        org="",
        path="",
        operation="chat",
        outcome="ok",
        total_ms=0.0,
        provider=provider,
        model_actual=key[1],
        input_tokens=_PROBE,
    )
    plain = price_event(probe, prices)
    if plain is None:
        return None
    added = {"input_tokens": plain}
    for name, changes in _PARTS.items():
        with_part = price_event(_with(probe, changes), prices)
        whole = (
            added["cache_write_tokens"] if name.endswith("1h_tokens") else Decimal(0)
        )
        added[name] = (with_part or plain) - plain - whole
    return {name: usd / _PROBE for name, usd in added.items()}


_PARTS = {
    "cache_read_tokens": ["cache_read_tokens"],
    "cache_write_tokens": ["cache_write_tokens"],
    "cache_write_1h_tokens": ["cache_write_tokens", "cache_write_1h_tokens"],
    "output_tokens": ["output_tokens"],
}


def _with(event: Event, counts: list[str]) -> Event:
    return msgspec.structs.replace(event, **dict.fromkeys(counts, _PROBE))

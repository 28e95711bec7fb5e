"""What the log and a provider's own export disagree on, and for how much.

Per day, model and what else the export names that changes a price (a batch, a service
tier, long prompts, a place), the difference in money is the sum of four parts:

- rows: requests that the export has and the log has not (negative: the other way
  round), at what a request of the export costs on average;
- tokens: what is left of the difference in tokens, at our price;
- other: the same of searches, images, seconds and characters;
- price: what the provider charged beyond that, where its costs are known too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Charged
from lectr_lab.analysis.reconcile.sides import Compared, Counted, Key, alike, compared
from lectr_lab.analysis.reconcile.unit_prices import (
    OTHERS,
    TOKENS,
    UnitPrices,
)
from lectr_lab.core.pricing.price import PriceList

ALL_MODELS = "all models"
"""What a day's total is called, where an export charges no model by name."""

SCHEMA = {
    "day": pl.Date,
    "model": pl.String,
    "priced_as": pl.String,
    "their_requests": pl.Int64,
    "our_requests": pl.Int64,
    "rows_missing": pl.Int64,
    "rows_usd": pl.Float64,
    "input_tokens_missing": pl.Int64,
    "cache_read_tokens_missing": pl.Int64,
    "output_tokens_missing": pl.Int64,
    "tokens_usd": pl.Float64,
    "web_searches_missing": pl.Int64,
    "other_usd": pl.Float64,
    "price_usd": pl.Float64,
    "their_usd": pl.Float64,
    "our_usd": pl.Float64,
}
PARTS = ("rows_usd", "tokens_usd", "other_usd", "price_usd")


def differences(
    ours: pl.DataFrame,
    export: Export,
    charged: Sequence[Charged] | None = None,
    prices: PriceList = (),
) -> pl.DataFrame:
    """What the log lacks of an export, or has beyond it, largest amount first.

    Args:
        ours: `counted(log, export)`, collected.
        export: a provider's usage, its costs, or both.
        charged: the provider's costs where another file has them; else those of the
            export.
        prices: the user's own prices.

    Returns:
        A row per day, model and dimensions that either has, or that was charged on a
        day of the export: `day`, `model`, `priced_as` (batch, flex, …; empty is
        standard), `their_requests` (null where the export does not say),
        `our_requests`, `rows_missing`, `rows_usd`, `input_tokens_missing` (all input),
        `cache_read_tokens_missing`, `output_tokens_missing`, `tokens_usd`,
        `web_searches_missing`, `other_usd`, `price_usd` (null without costs),
        `their_usd` (charged, or else at our price), `our_usd`. Amounts are null where
        no price is known. The parts add up to `their_usd` less `our_usd`.
    """
    units = UnitPrices(export.provider, prices)
    both = compared(ours, export)
    lines = export.charged if charged is None else charged
    costs, totals = _costs(lines, both, export)
    keys = sorted({*both.theirs, *both.ours, *costs}, key=str)
    found = []
    for key in keys:
        they = both.theirs.get(key)
        mine, usd = both.ours.get(key), costs.get(key)
        if export.used:
            found.append(_difference(key, they, mine, usd, units))
        else:
            found.append(_charged_alone(key, mine, usd, key.day in totals))
    found += _of_days(totals, found)
    size = pl.sum_horizontal(pl.col(PARTS).abs())
    return pl.DataFrame(found, SCHEMA, orient="row").sort(
        size, "day", "model", "priced_as", descending=[True, False, False, False]
    )


def _costs(
    charged: Iterable[Charged], both: Compared, export: Export
) -> tuple[dict[Key, float], dict[date, float]]:
    """What was charged by key, and of whole days; outside the export's days, nothing.

    A model's amount is of all of its dimensions: it is shared out by what each costs.
    """
    days = {*export.days, *(k.day for k in both.theirs)}
    if not export.used:
        days |= {one.day for one in export.charged}
    of_models: dict[tuple[date, str], float] = defaultdict(float)
    totals: dict[date, float] = defaultdict(float)
    known: dict[date, dict[str, list[Key]]] = defaultdict(lambda: defaultdict(list))
    for key in {*both.theirs, *both.ours}:
        known[key.day][key.model].append(key)
    for line in charged:
        if line.model is None:
            if line.day in days:
                totals[line.day] += line.usd
            continue
        name = alike(line.model, {*known[line.day]})
        if line.day in days or name in known[line.day]:
            of_models[line.day, name] += line.usd
    costs: dict[Key, float] = {}
    for (day, name), usd in of_models.items():
        keys = known[day].get(name) or [Key(day, name)]
        sizes = [_size(both.theirs.get(key)) for key in keys]
        whole = sum(sizes)
        for key, size in zip(keys, sizes, strict=True):
            costs[key] = usd * (size / whole if whole else 1 / len(keys))
    return costs, totals


def _size(one: Counted | None) -> float:
    return sum(one.counts.values()) if one else 0.0


def _difference(
    key: Key,
    theirs: Counted | None,
    mine: Counted | None,
    charged: float | None,
    units: UnitPrices,
) -> dict[str, Any]:
    they, we = theirs or Counted(0, {}), mine or Counted(0, {}, 0.0)
    found = _counts(key, they, we)
    tokens, others = (
        _listed(units, key, they, we, names) for names in (TOKENS, OTHERS)
    )
    if theirs is None:  # what it was charged for all the same has no cause here
        sums = {"their_usd": charged or 0.0, "our_usd": we.usd}
        if we.usd is None:
            return found | sums
        return found | _NO_PARTS | sums | {"rows_usd": -we.usd, "price_usd": charged}
    if tokens is None or others is None:
        return found | {"their_usd": charged, "our_usd": we.usd}
    listed, lack = tokens.usd + others.usd, tokens.lack_usd + others.lack_usd
    if we.usd is None:
        return found | {"their_usd": listed if charged is None else charged}
    # Ours may be above the plain price too: long prompts, tiers, estimates.
    beyond = we.usd - (listed - lack)
    missing = found["rows_missing"]
    rows_tokens = _of_rows(they, we, missing, tokens)
    rows_others = _of_rows(they, we, missing, others)
    return found | {
        "rows_usd": rows_tokens + rows_others,
        "tokens_usd": tokens.lack_usd - rows_tokens,
        "other_usd": others.lack_usd - rows_others,
        "price_usd": None if charged is None else charged - listed - beyond,
        "their_usd": listed + beyond if charged is None else charged,
        "our_usd": we.usd,
    }


class _Listed(NamedTuple):
    """What some counts cost by list: all of theirs, and what ours lack of them."""

    usd: float
    lack_usd: float


def _listed(
    units: UnitPrices, key: Key, they: Counted, we: Counted, names: Sequence[str]
) -> _Listed | None:
    whole = {n: they.counts.get(n, 0) for n in names}
    lack = {n: whole[n] - we.counts.get(n, 0) for n in names}
    more = None if they.requests is None else they.requests - (we.requests or 0)
    usd, lack_usd = (
        units.usd(key.model, key.day, key.dimensions, counts, requests)
        for counts, requests in ((whole, they.requests), (lack, more))
    )
    return None if usd is None or lack_usd is None else _Listed(usd, lack_usd)


def _counts(key: Key, they: Counted, we: Counted) -> dict[str, Any]:
    missing = None if they.requests is None else they.requests - (we.requests or 0)
    lacks = {
        f"{name}_missing": int(they.counts.get(name, 0) - we.counts.get(name, 0))
        for name in (
            "input_tokens",
            "cache_read_tokens",
            "output_tokens",
            "web_searches",
        )
    }
    return dict.fromkeys(SCHEMA) | {
        "day": key.day,
        "model": key.model,
        "priced_as": key.dimensions.in_words(),
        "their_requests": they.requests,
        "our_requests": we.requests,
        "rows_missing": missing,
        **lacks,
    }


def _of_rows(they: Counted, we: Counted, missing: int | None, of: _Listed) -> float:
    """What the missing requests cost; all of it where one side has none at all."""
    if not we.requests or not any(they.counts.values()):
        return of.lack_usd
    if missing is None or not they.requests:
        return 0.0  # the export does not count requests
    return missing * of.usd / they.requests


def _charged_alone(
    key: Key, mine: Counted | None, charged: float | None, in_total: bool
) -> dict[str, Any]:
    """Where an export says what was charged and not for what: only the sums compare."""
    we = mine or Counted(0, {}, 0.0)
    found = dict.fromkeys(SCHEMA) | {
        "day": key.day,
        "model": key.model,
        "priced_as": key.dimensions.in_words(),
        "our_requests": we.requests,
        "their_usd": charged,
        "our_usd": we.usd,
    }
    if we.usd is None:
        return found
    if charged is None:  # it is part of its day's amount, or was charged nothing
        charged = we.usd if in_total else 0.0
    return found | _NO_PARTS | {"price_usd": charged - we.usd, "their_usd": charged}


_NO_PARTS: dict[str, float | None] = {
    "rows_usd": 0.0,
    "tokens_usd": 0.0,
    "other_usd": 0.0,
}


def _of_days(
    totals: Mapping[date, float], found: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Of each day that was charged as one, what that is beyond the day's models."""
    known: dict[date, float] = defaultdict(float)
    for row in found:
        known[row["day"]] += row["their_usd"] or 0.0
    return [
        dict.fromkeys(SCHEMA)
        | _NO_PARTS
        | {"day": day, "model": ALL_MODELS, "priced_as": "", "our_requests": 0}
        | dict.fromkeys(("price_usd", "their_usd"), usd - known[day])
        | {"our_usd": 0.0}
        for day, usd in sorted(totals.items())
    ]

"""The two sides of a comparison with an export, by the same names and dimensions."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.reconcile.exports.read import Export
from lectr_lab.analysis.reconcile.exports.shape import Dimensions, Used
from lectr_lab.analysis.reconcile.unit_prices import COUNTS, LONG_PROMPT_TOKENS
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.core.pricing.geo import ANYWHERE
from lectr_lab.core.pricing.tiers import STANDARD_TIERS

_MMDD = re.compile(r"-?(\d{4})-?(\d{2})-?(\d{2})$")


class Key(NamedTuple):
    """What is set side by side."""

    day: date
    model: str
    dimensions: Dimensions = Dimensions()


class Counted(NamedTuple):
    """What one side counted of a key."""

    requests: int | None
    counts: Mapping[str, float]
    usd: float | None = None  # ours alone


class Compared(NamedTuple):
    """The two sides, by the same names of models and the same dimensions."""

    theirs: dict[Key, Counted]
    ours: dict[Key, Counted]


def counted(log: pl.LazyFrame, export: Export) -> pl.LazyFrame:
    """The log's own counts in the export's terms: per day, model, tier and place.

    Only the provider's rows are counted, of the days from the export's first to its
    last, and only answers: a provider bills no failure. What a plan covered is on its
    own bill, and in no export of an API's usage.
    """
    days = {*export.days, *(one.day for one in export.used)}
    days |= {one.day for one in export.charged}
    day = pl.col("started_at").dt.convert_time_zone(export.tz).dt.date().alias("day")
    answered = pl.col("input_tokens").is_not_null() | rows.uncounted()
    billed = ~rows.covered_by_plan().fill_null(False)
    tier, geo = pl.col("service_tier"), pl.col("inference_geo")
    return (
        log.filter(
            pl.col("provider") == export.provider, answered, billed, *_of(export)
        )
        .with_columns(day)
        .filter(pl.col("day").is_between(min(days), max(days)) if days else False)
        .group_by(
            "day",
            rows.model().str.to_lowercase().fill_null("unknown"),
            pl.when(tier.is_in([*STANDARD_TIERS]) | tier.is_null())
            .then(pl.lit("standard"))
            .otherwise(tier)
            .alias("tier"),
            (pl.col("input_tokens") > LONG_PROMPT_TOKENS)
            .fill_null(False)
            .alias("long"),
            pl.when(geo.is_in([*ANYWHERE]) | geo.is_null())
            .then(pl.lit(""))
            .otherwise(geo)
            .alias("geo"),
        )
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col(COUNTS).sum(),
            usd_sum("cost_usd"),
            rows.unpriced().sum().alias("unpriced"),
        )
    )


def _of(export: Export) -> list[pl.Expr]:
    """What the export counts: some operations alone, or one program's calls."""
    fits = []
    if export.operations is not None:
        operation = pl.col("operation")
        named = operation.is_in(sorted(export.operations))
        fits.append(
            named | operation.is_null() if "chat" in export.operations else named
        )
    if export.clients is not None:
        client = pl.col("client")
        fits.append(client.is_in(sorted(export.clients)) | client.is_null())
    return fits


def compared(ours: pl.DataFrame, export: Export) -> Compared:
    """Both sides by their keys: an export may have a row per key, project or hour."""
    said = _said(export.used)
    mine: dict[Key, Counted] = {}
    by_day: dict[date, set[str]] = defaultdict(set)
    for row in ours.iter_rows(named=True):
        by_day[row["day"]].add(row["model"])
    named = {
        (one.day, one.model): alike(one.model, by_day[one.day]) for one in export.used
    }
    told: dict[tuple[date, str], set[str]] = defaultdict(set)
    for (day, model), name in named.items():
        told[day, name] |= said[model]
    for row in ours.iter_rows(named=True):
        whole = Dimensions(row["tier"], row["long"], row["geo"])
        key = Key(
            row["day"], row["model"], _only(whole, told[row["day"], row["model"]])
        )
        usd = None if row["unpriced"] else row["cost_usd"]
        _add(mine, key, Counted(row["requests"], {n: row[n] for n in COUNTS}, usd))
    theirs: dict[Key, Counted] = {}
    for one in export.used:
        name = named[one.day, one.model]
        whole = one.dimensions._replace(
            tier=one.dimensions.tier or "standard",
            long=bool(one.dimensions.long),
            geo=one.dimensions.geo or "",
        )
        key = Key(one.day, name, _only(whole, told[one.day, name]))
        _add(theirs, key, Counted(one.requests, one.counts))
    return Compared(theirs, mine)


def _said(used: Iterable[Used]) -> dict[str, set[str]]:
    """Which dimensions an export names of each model."""
    said: dict[str, set[str]] = defaultdict(set)
    for one in used:
        named = one.dimensions._asdict().items()
        said[one.model] |= {name for name, value in named if value is not None}
    return said


def _only(whole: Dimensions, names: set[str]) -> Dimensions:
    return Dimensions(**{n: v for n, v in whole._asdict().items() if n in names})


def _add(sums: dict[Key, Counted], key: Key, one: Counted) -> None:
    before = sums.get(key)
    if before is None:
        sums[key] = one
        return
    counts = {n: before.counts.get(n, 0) + one.counts.get(n, 0) for n in COUNTS}
    sums[key] = Counted(
        _sum(before.requests, one.requests), counts, _sum(before.usd, one.usd)
    )


def _sum(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


def alike(model: str, names: set[str]) -> str:
    """The log's name of a model that an export has another for: "Claude Sonnet 4.5"."""
    name = model.lower()
    if name in names:
        return name
    for words in (_dated, _words):
        alike = [other for other in names if words(other) == words(name)]
        if len(alike) == 1:
            return alike[0]
    return name


def _words(model: str) -> list[str]:
    """What a model's names have in common, whatever their order: no date."""
    name = _MMDD.sub("", model.rpartition("/")[2])
    return sorted(re.findall(r"[a-z]+|\d+", re.sub(r"[ -]\d{4}$", "", name)))


def _dated(model: str) -> list[str]:
    """The same with its day, as Azure writes it: 1120 for 2024-11-20."""
    name = _MMDD.sub(r" \2\3", model.rpartition("/")[2])
    return sorted(re.findall(r"[a-z]+|\d+", name))

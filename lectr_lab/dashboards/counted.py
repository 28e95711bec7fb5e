"""A log, counted for a dashboard: finished frames that fit a page, whatever its size."""

from datetime import datetime
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.views import cube, rows
from lectr_lab.analysis.views.cube import KEYS, Leaders
from lectr_lab.analysis.views.money import summed, usd_sum
from lectr_lab.analysis.views.percentiles import MOST_EXACT_ROWS
from lectr_lab.analysis.views.time_steps import time_step
from lectr_lab.dashboards.steps import counted_step, next_longer, step

MOST_BYTES = 500_000
"""About as much text as the cells of a page take, at most; the shortest steps that keep
it below are what a reader can look at."""

_CELL_BYTES, _BIN_BYTES = 32, 2


class Counted(NamedTuple):
    """A log, counted by steps of `every`."""

    ranked: pl.DataFrame  # requests and cost_usd per org, feature, provider, model
    leaders: Leaders
    sums: pl.DataFrame
    bins: pl.DataFrame
    first_at: datetime | None
    last_at: datetime | None
    every: str
    exact: pl.DataFrame | None = None  # percentiles; None: they are taken from the bins


def leaders(ranked: pl.DataFrame) -> Leaders:
    """The features and models that have cells of their own."""
    features, models = (
        tuple(cube.leading(ranked.lazy(), keys, most).collect().rows())
        for keys, most in (
            (["org", "feature"], cube.MOST_FEATURES),
            (["provider", "model"], cube.MOST_MODELS),
        )
    )
    return Leaders(features, models)


def count_log(log: pl.LazyFrame, tz: str) -> Counted:
    """Count a whole log; percentiles of the leading features are exact, up to as many
    rows as every view counts exactly.

    Args:
        log: what `cube.needed` gives of events with `cost_usd`; read several times, so
            best in memory.
        tz: the time zone in which days begin.
    """
    at = pl.col("started_at")
    span, ranked, runs = pl.collect_all(
        [
            log.select(at.min().alias("first"), at.max().alias("last")),
            cube.ranking(log),
            _dearest_sessions(log),
        ]
    )
    first, last = span.row(0)
    every = counted_step(first, last)
    lead = leaders(ranked)._replace(sessions=tuple(runs.rows()))
    cells = cube.placed(log, lead, every, tz).collect().lazy()
    wanted: list[pl.LazyFrame] = [*cube.cube(cells)]
    if ranked["requests"].sum() <= MOST_EXACT_ROWS:
        wanted.append(cube.exact_latency(cube.timed(cells)))
    sums, bins, *exact = pl.collect_all(wanted)
    counted = Counted(ranked, lead, sums, bins, first, last, every, *exact)
    return fitted(counted, tz)


def _dearest_sessions(log: pl.LazyFrame) -> pl.LazyFrame:
    named = log.filter(rows.is_call(), pl.col("session").is_not_null())
    return (
        named.group_by("org", "session")
        .agg(usd_sum("cost_usd").alias("cost_usd"), pl.len().alias("n"))
        .sort(
            *("cost_usd", "n", "org", "session"), descending=[True, True, False, False]
        )
        .select("org", "session")
        .head(cube.MOST_SESSIONS)
    )


def fitted(counted: Counted, tz: str) -> Counted:
    """The same by steps long enough that the cells fit a page."""
    drawn = step(counted.first_at, counted.last_at)
    while counted.every != drawn and _bytes(counted) > MOST_BYTES:
        counted = _by(next_longer(counted.every, drawn), counted, tz)
    return counted


def _bytes(counted: Counted) -> int:
    return _CELL_BYTES * counted.sums.height + _BIN_BYTES * counted.bins.height


def _by(every: str, counted: Counted, tz: str) -> Counted:
    """By longer steps: cells of the same step are added up."""
    at = pl.col("time").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    longer = time_step(at, every, tz).dt.epoch("ms").alias("time")
    sums, bins = counted.sums.with_columns(longer), counted.bins.with_columns(longer)
    sums = sums.group_by(KEYS).agg(summed([c for c in sums.columns if c not in KEYS]))
    bins = bins.group_by(*KEYS, "bin").agg(pl.col("n").sum())
    return counted._replace(sums=sums, bins=bins, every=every)

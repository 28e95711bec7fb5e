"""Percentiles of more rows than one sorts: from counts in logarithmic bins.

A bin is two per cent wide, and its middle stands for all in it: so a percentile is
within 1 % of a duration that was measured. The counts of a group are a few hundred
numbers, however many rows there are. Source: Masson, Rim and Lee, DDSketch, PVLDB 12
(2019), 2195-2205.
"""

import math

import polars as pl

from lectr_lab.analysis import rows
from lectr_lab.analysis.groups import By, grouped, key_columns, key_names

MOST_EXACT_ROWS = 10_000_000
"""Above this many rows a query, `latency` sorts too much and this is the view to use."""

RELATIVE_ERROR = 0.01
_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_TIMES = ("total", "ttfb", "ttft", "overhead")
_PERCENTILES = (50, 95, 99)


def binned_latency(
    log: pl.LazyFrame,
    by: By = "feature",
    *,
    every: str | None = None,
    tz: str = "UTC",
    org: str | None = None,
) -> pl.LazyFrame:
    """How long requests took per group, as `latency` says it, within 1 %.

    Each percentile is within 1 % of the duration at its rank, the lower one where it
    falls between two; `latency` goes on the line between the two.

    Args:
        log: events; prices are not needed.
        by: one column, several, or None for one row per org.
        every: a time step, such as "1h" or "1d"; adds `time`.
        tz: the time zone in which days begin.
        org: one org alone; without it, `org` is the first column.

    Returns:
        The keys, then `requests` and, for total, ttfb, ttft and overhead,
        `…_p50_ms`, `…_p95_ms`, `…_p99_ms` with their `…_n`; null where n is 0.

    Raises:
        LabError: a column that the log does not have.

    >>> from lectr_lab.log.schema import frame
    >>> binned_latency(frame([]).lazy(), "model").collect().columns[:4]
    ['org', 'model', 'requests', 'total_p50_ms']
    """
    names = key_names(by, every, org)
    counted = [rows.is_request().sum().alias("requests")]
    found = grouped(log, counted, by=by, every=every, tz=tz, org=org)
    keys = key_columns(by, every=every, tz=tz, org=org)
    if org is not None:
        log = log.filter(pl.col("org") == org)
    for name in _TIMES:
        one = _percentiles(log, keys, names, name)
        if names:
            found = found.join(one, on=names, how="left", nulls_equal=True)
        else:
            found = pl.concat([found, one], how="horizontal")
    order = ([pl.col("time")] if every else []) + [-pl.col("total_p95_ms")]
    filled = [pl.col(f"{name}_n").fill_null(0) for name in _TIMES]
    return found.with_columns(filled).sort(*order, *names, nulls_last=True)


def _percentiles(
    log: pl.LazyFrame, keys: list[pl.Expr], names: list[str], name: str
) -> pl.LazyFrame:
    ms = pl.col(f"{name}_ms")
    counts = (
        log.filter(rows.succeeded() & ms.is_not_null())
        .group_by(*keys, _bin(ms).alias("_bin"))
        .agg(pl.len().cast(pl.Int64).alias("_n"))
    )
    measures = [_at(p / 100).alias(f"{name}_p{p}_ms") for p in _PERCENTILES]
    measures.append(pl.col("_n").sum().alias(f"{name}_n"))
    return counts.group_by(names).agg(*measures) if names else counts.select(measures)


def _bin(ms: pl.Expr) -> pl.Expr:
    """The number of a duration's bin; null, which is the lowest, for none at all."""
    return pl.when(ms > 0).then((ms.log() / math.log(_GROWTH)).ceil().cast(pl.Int32))


def _at(share: float) -> pl.Expr:
    """The middle of the bin in which the share of all durations is reached."""
    # Null sorts first: it is a duration of zero.
    passed = pl.col("_n").sort_by("_bin").cum_sum() > share * (pl.col("_n").sum() - 1)
    reached = pl.col("_bin").sort_by("_bin").get(passed.arg_max(), null_on_oob=True)
    middle = 2 * pl.lit(_GROWTH).pow(reached) / (_GROWTH + 1)
    return pl.when(pl.col("_n").sum() > 0).then(middle.fill_null(0.0))

"""Percentiles of how long requests took: exact, or from bins where rows are many."""

import operator
from collections.abc import Callable, Collection
from functools import reduce
from random import SystemRandom
from typing import Literal, NamedTuple

import polars as pl

from lectr_lab.analysis.views import binned, rows
from lectr_lab.analysis.views.collected import collected
from lectr_lab.core.intervals import Z95

Percentiles = Literal["exact", "binned"]
"""Exact, on the line between the two nearest ranks; or the lower one, within 1 %."""

MOST_EXACT_ROWS = 10_000_000
"""Above this many rows a query, sorting takes too much memory, and bins are used."""

_SPEED = "output_tokens_per_s"
DURATIONS = ("total", "ttfb", "ttft", "overhead", _SPEED)
"""What there are percentiles of; the total is one of those asked for, and the first."""

_PERCENTILES = (50, 95, 99)
_GROUP = "_group"


class _Ranked(NamedTuple):
    """The values of a group in their order: how many, the one at a rank, a quantile."""

    n: pl.Expr
    at: Callable[[pl.Expr], pl.Expr]
    quantile: Callable[[float], pl.Expr]


def chosen(log: pl.LazyFrame, wanted: Percentiles | None = None) -> Percentiles:
    """What was asked for; else by the number of rows, which are counted now."""
    if wanted is not None:
        return wanted
    return by_number(collected(log.select(pl.len())).item())


def by_number(n: int) -> Percentiles:
    """The rule at every door, for so many rows in the span that is asked about.

    >>> by_number(10_000_000), by_number(10_000_001)
    ('exact', 'binned')
    """
    return "exact" if n <= MOST_EXACT_ROWS else "binned"


def with_percentiles(
    sums: pl.LazyFrame,
    log: pl.LazyFrame,
    keys: list[pl.Expr],
    how: Percentiles,
    *,
    intervals: bool = False,
    of: Collection[str] = DURATIONS,
    bins: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """Sums per group, and the percentiles of the same groups' successful requests, for
    which the log is read now.

    Apart, for exact ones hold a number of each row in memory, and sums hold none: asked
    for together, each column of a sum would be held too.

    Args:
        sums: one row per group.
        log: the events of these groups.
        keys: what `sums` was grouped by; none for one row.
        how: exact or binned; the column `percentiles` says it.
        intervals: add the 95 % interval of every percentile.
        of: some of `DURATIONS` alone.
        bins: of binned ones, where these are counted already (`cells/bins.py`).

    Returns:
        `sums`, with each duration's percentiles and n, and the median speed. Groups
        without a success have n = 0.
    """
    seed = SystemRandom().getrandbits(62)  # room for one more a key
    if how == "binned" and bins is not None:
        found = _of_bins(bins, group_number(keys, seed), of, intervals)
    else:
        measured = log.filter(rows.succeeded()).select(
            group_number(keys, seed), *(duration(name) for name in of)
        )
        figures = _exact if how == "exact" else _binned
        found = figures(measured, of, intervals)
    names = [pl.col(key.meta.output_name()) for key in keys]
    # Two groups of one number stop the query, and are never taken for one.
    both = sums.with_columns(group_number(names, seed)).join(
        found, on=_GROUP, how="left", validate="1:1"
    )
    return both.with_columns(
        *(pl.col(f"{name}_n").fill_null(0) for name in of if name != _SPEED),
        percentiles=pl.lit(how),
    ).drop(_GROUP)


def group_number(keys: list[pl.Expr], seed: int) -> pl.Expr:
    """A group's number, by which rows are grouped in half the time of its names.

    It is 64 bits of a hash. Of 37 million queries with a million groups each, one would
    find two groups of one number: it stops, and the next call draws another seed.
    """
    # Adding hashes takes half the time of hashing a struct.
    hashes = [key.hash(seed + i) for i, key in enumerate(keys)]
    number = reduce(operator.add, hashes) if keys else pl.lit(0, pl.UInt64)
    return number.alias(_GROUP)


def duration(name: str) -> pl.Expr:
    """A duration; or output tokens per second, from sending to the last byte."""
    if name != _SPEED:
        return pl.col(f"{name}_ms").alias(f"_{name}")
    ms = pl.col("total_ms")
    # An estimate of tokens says nothing of how fast they came.
    by_count = pl.col("token_source").ne_missing("ratio")
    told = by_count & pl.col("input_tokens").is_not_null()  # else one may be made of it
    timed = told & (pl.col("output_tokens") > 0) & (ms > 0)
    speed = pl.when(timed).then(1000 * pl.col("output_tokens") / ms)
    return speed.alias(f"_{_SPEED}")


def _exact(
    measured: pl.LazyFrame, of: Collection[str], intervals: bool
) -> pl.LazyFrame:
    figures = [
        figure
        for name in of
        for figure in exact_figures(name, pl.col(f"_{name}"), intervals=intervals)
    ]
    # Read now, for what is read in one query with the sums is kept whole for both.
    return collected(measured.group_by(_GROUP).agg(figures)).lazy()


def exact_figures(
    name: str, value: pl.Expr, *, intervals: bool, in_order: bool = False
) -> list[pl.Expr]:
    """Percentiles and n of one duration, and on request their 95 % intervals.

    `in_order` says that the rows come by this duration, and no group needs sorting.
    """
    known = value.drop_nulls()
    ranks = known if in_order else known.sort()
    ranked = _Ranked(
        value.count(),
        lambda rank: ranks.get(rank, null_on_oob=True),
        lambda share: value.quantile(share, "linear"),
    )
    return _figures(name, ranked, intervals)


def _binned(
    measured: pl.LazyFrame, of: Collection[str], intervals: bool
) -> pl.LazyFrame:
    counts = binned.bin_counts(measured, _GROUP)
    first, *others = (
        binned_figures(counts[f"_{name}"].lazy(), [_GROUP], name, intervals)
        for name in of
    )
    # Every success has its total time, so no group is only among the others.
    return reduce(
        lambda left, right: left.join(right, on=_GROUP, how="left"), others, first
    )


def _of_bins(
    bins: pl.LazyFrame, group: pl.Expr, of: Collection[str], intervals: bool
) -> pl.LazyFrame:
    number = pl.col("bin").alias(binned.BIN)
    rows_in = pl.col("rows").sum().alias(binned.N)
    asked = pl.col("duration").is_in([DURATIONS.index(name) for name in of])
    some = bins.filter(asked).group_by(group, "duration", number)
    counts = collected(some.agg(rows_in)).lazy()
    first, *others = (
        binned_figures(
            counts.filter(pl.col("duration") == DURATIONS.index(name)),
            [_GROUP],
            name,
            intervals,
        )
        for name in of
    )
    return reduce(
        lambda left, right: left.join(right, on=_GROUP, how="left"), others, first
    )


def binned_figures(
    counts: pl.LazyFrame, by: list[str], name: str, intervals: bool
) -> pl.LazyFrame:
    """Percentiles and n of one duration, from its bins, a row for each group.

    Args:
        counts: `by`, the bin and how many rows it has.
        by: the group.
        name: one of `DURATIONS`.
        intervals: add the 95 % interval of every percentile.
    """
    n = binned.count()
    ranked = _Ranked(
        n, binned.at, lambda share: binned.at((share * (n - 1)).floor().cast(pl.Int64))
    )
    return counts.group_by(by).agg(_figures(name, ranked, intervals))


def _figures(name: str, values: _Ranked, intervals: bool) -> list[pl.Expr]:
    if name == _SPEED:
        return [values.quantile(0.5).alias(_SPEED)]
    found = [values.quantile(p / 100).alias(f"{name}_p{p}_ms") for p in _PERCENTILES]
    found.append(values.n.cast(pl.UInt32).alias(f"{name}_n"))
    if intervals:
        found += [end for p in _PERCENTILES for end in _ends(name, p, values)]
    return found


def _ends(name: str, percentile: int, values: _Ranked) -> tuple[pl.Expr, pl.Expr]:
    """A 95 % interval of a percentile, from order statistics; no shape is assumed.

    Null at an end where so few requests cannot bound it. The true percentile lies
    between two ranks with binomial probability; their normal approximation is widened
    to whole ranks. Source: David and Nagaraja, Order Statistics (2003), section 7.1.
    """
    n, p = values.n.cast(pl.Float64), percentile / 100
    half = Z95 * (n * p * (1 - p)).sqrt()
    low = (n * p - half).floor().cast(pl.Int64)  # ranks, from 1
    high = (n * p + half).ceil().cast(pl.Int64) + 1
    return (
        # Rank 0 would be index -1, which is the last.
        pl.when(low >= 1)
        .then(values.at(low - 1))
        .alias(f"{name}_p{percentile}_low_ms"),
        values.at(high - 1).alias(f"{name}_p{percentile}_high_ms"),
    )

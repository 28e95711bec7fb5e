"""Of a log that is too long to look at each row: its days, its cells, its newest rows.

Sums of a long log are in its cells; what a request looks like (how long its answer is,
what it uses, how long it took) is told from whole days at its end, as many as have up to
`MOST_LOOKED_AT` requests together. Which these are depends on the log's rows alone.
"""

from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.asked import Asked
from lectr_lab.analysis.cells.newest import Newest, counts, newest_end
from lectr_lab.analysis.cells.planned import Apart
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views.collected import collected

MOST_LOOKED_AT = 1_000_000
"""Rows. Of a sign that half of so many have, the share is known to 0.1 points (95 %)."""

_BY_DAY = Asked(frozenset({"org", "feature", "task"}), ("1d",))


class InCells(NamedTuple):
    """A log's cells, by day, and whether they say when each began and ended."""

    apart: Apart
    ends: bool


def in_cells(log: AnyLog) -> InCells | None:
    """Its cells by org, feature, task and day (UTC); None where it has none."""
    if not isinstance(log, Log):
        return None
    apart = log.apart(_BY_DAY._replace(ends=True))
    if apart is not None:
        return InCells(apart, ends=True)
    apart = log.apart(_BY_DAY)
    return None if apart is None else InCells(apart, ends=False)


def days_of(log: AnyLog, cells: InCells | None = None) -> pl.DataFrame:
    """A row per org and day (UTC): `n` rows of any kind, and `first_us` and `last_us`,
    times of day.

    Args:
        log: events.
        cells: its own, where it has some.
    """
    at = pl.col("started_at")
    rows = log.stored() if isinstance(log, Log) else log
    if cells is None or not cells.ends:
        return _days([_of_days(rows, at, at, pl.len())])
    first, last, n = pl.col("first_at"), pl.col("last_at"), pl.col("rows").sum()
    of_cells = _of_days(cells.apart.cells, first, last, n)
    return _days([of_cells, _of_days(cells.apart.rows, at, at, pl.len())])


def _of_days(
    some: pl.LazyFrame, first: pl.Expr, last: pl.Expr, n: pl.Expr
) -> pl.DataFrame:
    by_day = some.group_by("org", day=pl.col("started_at").dt.date())
    ends = first.min().alias("first_at"), last.max().alias("last_at")
    return collected(by_day.agg(*ends, n.cast(pl.Int64).alias("n")))


def _days(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    first, last = pl.col("first_at"), pl.col("last_at")
    midnight = pl.col("day").cast(pl.Datetime("us", "UTC"))
    return (
        pl.concat(pieces)
        .group_by("org", "day")
        .agg(first.min(), last.max(), pl.col("n").sum())
        .select(
            *("org", "day", "n"),
            (first - midnight).dt.total_microseconds().alias("first_us"),
            (last - midnight).dt.total_microseconds().alias("last_us"),
        )
        .sort("org", "day")
    )


def newest(log: AnyLog) -> Newest:
    """The rows at a log's end, in whole days, or in whole hours where one day has more.

    Args:
        log: events.

    >>> import lectr_lab as lectr
    >>> found = newest(lectr.demo_log())
    >>> found.n, str(found.first)
    (16222, '2026-10-26 00:00:00+00:00')
    """
    if isinstance(log, Log):
        return log.newest(MOST_LOOKED_AT)
    at = pl.col("started_at")
    end = newest_end(
        counts(log, "1d"),
        lambda step, since: counts(log.filter(at >= since), step),
        MOST_LOOKED_AT,
    )
    return Newest(log if end.first is None else log.filter(at >= end.first), *end)

"""Of a log that is too long to look at each row: its days, its cells, its newest rows.

Sums of a long log are in its cells; what a request looks like (how long its answer is,
what it uses, how long it took) is told from whole days at its end, as many as have up to
`MOST_LOOKED_AT` requests together. Which these are depends on the log's rows alone.
"""

from datetime import UTC, datetime, time
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.cells.planned import Apart, Asked
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.views.collected import collected

MOST_LOOKED_AT = 3_000_000
"""Rows. Of a sign that half of so many have, the share is known to 0.06 points (95 %)."""

_BY_DAY = Asked(frozenset({"org", "feature", "task"}), ("1d",))
_FINER = ("1h", "15m")  # where a day has more, its newest hours, and so on


class Newest(NamedTuple):
    """The rows that are looked at, from when on they are all, and how many."""

    rows: pl.LazyFrame  # what they cost may not be among the columns
    first: datetime | None  # of an empty log None
    n: int


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


def newest(log: AnyLog, days: pl.DataFrame | None = None) -> Newest:
    """The rows at a log's end, in whole days, or in whole hours where one day has more.

    Args:
        log: events.
        days: `days_of` it, where they are known.

    >>> import lectr_lab as lectr
    >>> found = newest(lectr.demo_log())
    >>> found.n, str(found.first)
    (16222, '2026-10-26 00:00:00+00:00')
    """
    known = days_of(log) if days is None else days
    per_day = known.group_by(pl.col("day").alias("at")).agg(pl.col("n").sum())
    n, day, fit = _end(per_day)
    first = None if day is None else datetime.combine(day, time(), UTC)
    for step in _FINER:
        if fit or first is None:
            break
        n, first, fit = _end(_counts(log, step, first))
    if first is None:
        return Newest(log.lazy(), None, 0)
    since = pl.col("started_at") >= first
    rows = log.newest(first) if isinstance(log, Log) else log.filter(since)
    return Newest(rows, first, n)


def _counts(log: AnyLog, step: str, first: datetime) -> pl.DataFrame:
    """How many rows each step has, from `first` on."""
    rows, at = log.stored() if isinstance(log, Log) else log, pl.col("started_at")
    some = rows.filter(at >= first).group_by(at.dt.truncate(step).alias("at"))
    return collected(some.agg(pl.len().cast(pl.Int64).alias("n")))


def _end(counts: pl.DataFrame) -> tuple[int, Any, bool]:
    """So many rows in the newest steps, where these begin, and whether they fit."""
    if counts.is_empty():
        return 0, None, True
    newest_first = counts.sort("at", descending=True)
    fit = newest_first.filter(pl.col("n").cum_sum() <= MOST_LOOKED_AT)
    some = fit if fit.height else newest_first.head(1)
    return int(some["n"].sum()), some["at"][-1], fit.height > 0

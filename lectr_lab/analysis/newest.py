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

_BY_NAME = Asked(frozenset({"org", "feature", "task"}))
_BY_DAY = _BY_NAME._replace(steps=("1d",))


class InCells(NamedTuple):
    """A log's cells, by day and at any time, and whether the first say when each day
    began and ended."""

    by_day: Apart
    at_any_time: Apart
    ends: bool


def in_cells(log: AnyLog) -> InCells | None:
    """Its cells by org, feature and task; None where it has none."""
    if not isinstance(log, Log):
        return None
    with_ends = log.apart(_BY_DAY._replace(ends=True))
    by_day, at_any_time = with_ends or log.apart(_BY_DAY), log.apart(_BY_NAME)
    if by_day is None or at_any_time is None:
        return None
    return InCells(by_day, at_any_time, ends=with_ends is not None)


def days_of(log: AnyLog, cells: InCells | None = None) -> pl.DataFrame:
    """A row per org and day (UTC), of rows of any kind: `first_us` and `last_us`, times
    of day.

    Args:
        log: events.
        cells: its own, where it has some.
    """
    at = pl.col("started_at")
    rows = log.stored() if isinstance(log, Log) else log
    if cells is None or not cells.ends:
        return _days([_of_days(rows, at, at)])
    first, last = pl.col("first_at"), pl.col("last_at")
    said = cells.by_day.cells.filter(first.is_not_null() | last.is_not_null())
    return _days([_of_days(said, first, last), _of_days(cells.by_day.rows, at, at)])


def _of_days(some: pl.LazyFrame, first: pl.Expr, last: pl.Expr) -> pl.DataFrame:
    by_day = some.group_by("org", day=pl.col("started_at").dt.date())
    return collected(by_day.agg(first.min().alias("first"), last.max().alias("last")))


def _days(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    midnight = pl.col("day").cast(pl.Datetime("us", "UTC"))
    ends = pl.col("first").min(), pl.col("last").max()
    return (
        pl.concat(pieces)
        .group_by("org", "day")
        .agg(ends)
        .select(
            *("org", "day"),
            (pl.col("first") - midnight).dt.total_microseconds().alias("first_us"),
            (pl.col("last") - midnight).dt.total_microseconds().alias("last_us"),
        )
        .sort("org", "day")
    )


def newest(log: AnyLog, most: int | None = None) -> Newest:
    """The rows at a log's end, in whole days, or in whole hours where one day has more.

    Args:
        log: events.
        most: rows, unless a quarter of an hour has more; `MOST_LOOKED_AT`, unless told.

    >>> import lectr_lab as lectr
    >>> found = newest(lectr.demo_log())
    >>> found.n, str(found.first)
    (16222, '2026-10-26 00:00:00+00:00')
    """
    most = MOST_LOOKED_AT if most is None else most
    if isinstance(log, Log):
        return log.newest(most)
    at = pl.col("started_at")
    end = newest_end(
        counts(log, "1d"),
        lambda step, since: counts(log.filter(at >= since), step),
        most,
    )
    return Newest(log if end.first is None else log.filter(at >= end.first), *end)

"""Days that were seen from beginning to end: savings are told from these."""

from datetime import date, timedelta

import polars as pl

_LATE_US = 2 * 3_600_000_000  # chance alone makes a day begin or end a little apart


def day_edges(log: pl.LazyFrame) -> pl.LazyFrame:
    """One row per org and day (UTC): `first_us` and `last_us`, times of day."""
    at = pl.col("started_at")
    us = (at - at.dt.truncate("1d")).dt.total_microseconds()
    return (
        log.group_by("org", day=at.dt.date())
        .agg(first_us=us.min(), last_us=us.max())
        .sort("org", "day")
    )


def seen_span(edges: pl.DataFrame) -> tuple[date, date] | None:
    """The first and the last day that one org's traffic covers whole; None for none.

    A day at an end of the log is left out where its traffic begins hours later, or
    ends hours sooner, than on every other day: the proxy started, or the log was read,
    at noon.

    Args:
        edges: rows of `day_edges` of one org, in the order of days.
    """
    if edges.height < 3:
        return None
    days, inner = edges["day"], edges[1:-1]
    began_late = edges["first_us"][0] > _most(inner["first_us"]) + _LATE_US
    ended_soon = edges["last_us"][-1] < -_most(-inner["last_us"]) - _LATE_US
    first = days[0] + timedelta(days=int(began_late))
    last = days[-1] - timedelta(days=int(ended_soon))
    return first, last


def _most(us: pl.Series) -> int:
    return max(us.to_list())

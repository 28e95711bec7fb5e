"""Where a moment lies: in which day or other step of a time zone.

A day is what a calendar says: 23 hours where an hour is missing, 25 where one comes
twice, and one day also where the hour that comes twice is its first; weeks, months and
years likewise. Shorter steps go by the clock: where an hour comes twice, two steps of an
hour show the same time, with another offset.
"""

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from lectr_lab.core.errors import LabError

_PART = re.compile(r"(\d+)(ns|us|ms|s|mo|m|h|d|w|q|y)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAY_S = 86_400.0  # and every longer part counts as more than an hour
_YEARS = range(2015, 2045)  # in which logs are
_NO_CLOCK = {"Factory": "UTC"}  # what the database calls a zone that nobody has set


def time_step(at: pl.Expr, every: str, tz: str) -> pl.Expr:
    """The start of the step that a moment lies in, in that time zone.

    Args:
        at: moments of UTC.
        every: the length of a step, such as "15m", "1h", "1d", "1w" or "1mo".
        tz: the time zone in which days begin.

    Returns:
        Moments with that time zone. Of a day whose first hour is missing, the first
        moment that there is; of one whose first hour comes twice, the first of them.

    Raises:
        LabError: no such step, or no such time zone.

    >>> from datetime import UTC, datetime
    >>> twice = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5)]
    >>> steps = pl.select(time_step(pl.lit(pl.Series(twice)), "1d", "America/Havana"))
    >>> steps.to_series().n_unique()
    1
    """
    is_short = _seconds(every) < _DAY_S
    name = polars_zone(tz)
    if tz == "UTC":
        return at.dt.convert_time_zone(name).dt.truncate(every)
    local = at.dt.convert_time_zone(name)
    wall = local.dt.replace_time_zone(None)
    since = wall.dt.truncate(every)
    # What of a step there is before a moment: its start, where that hour is missing.
    begun = local - (wall - since)
    if is_short:
        last, first = (_at(since, name, which) for which in ("latest", "earliest"))
        of_two = pl.when(last <= local).then(last).otherwise(first)
        return pl.when(of_two <= local).then(of_two).otherwise(begun)
    next_hour = since.dt.offset_by("1h")
    return pl.coalesce(_at(since, name), _at(next_hour, name), begun)


def _at(
    wall: pl.Expr, name: str, which: Literal["earliest", "latest"] = "earliest"
) -> pl.Expr:
    """When a clock shows that; null where it never does."""
    return wall.dt.replace_time_zone(name, ambiguous=which, non_existent="null")


@cache
def polars_zone(tz: str) -> str:
    """A time zone by the name that polars knows it by.

    Raises:
        LabError: there is none of that name.

    >>> polars_zone("Europe/Berlin"), polars_zone("Factory")
    ('Europe/Berlin', 'UTC')
    """
    name = _NO_CLOCK.get(tz, tz) or "none"
    try:
        pl.select(pl.lit(0).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(name))
    except (pl.exceptions.PolarsError, TypeError):
        raise LabError(
            f"{tz!r} is not a time zone; write one as Europe/Berlin."
        ) from None
    return name


def zone(tz: str) -> ZoneInfo:
    """A time zone by its name.

    Raises:
        LabError: there is none of that name.
    """
    try:
        return ZoneInfo(polars_zone(tz))
    except (LookupError, ValueError, OSError):
        raise LabError(
            f"{tz!r} is not a time zone; write one as Europe/Berlin."
        ) from None


@cache
def has_whole_hours(tz: str) -> bool:
    """Whether its hours begin where those of UTC do, whatever the season.

    >>> has_whole_hours("Europe/Berlin"), has_whole_hours("Asia/Kolkata")
    (True, False)
    """
    where = zone(tz)
    months = (datetime(y, m, 1, tzinfo=where) for y in _YEARS for m in range(1, 13))
    offsets = {month.utcoffset() or timedelta() for month in months}
    return all(offset % timedelta(hours=1) == timedelta() for offset in offsets)


def clock_seconds(every: str) -> float:
    """How much of a step goes by the clock; days and longer parts are a calendar's.

    Raises:
        LabError: no such step.

    >>> clock_seconds("1d12h"), clock_seconds("15m"), clock_seconds("1mo")
    (43200.0, 900.0, 0.0)
    """
    _seconds(every)
    parts = _PART.findall(every)
    return sum((int(n) * _SECONDS.get(unit, 0.0) for n, unit in parts), 0.0)


def _seconds(every: str) -> float:
    """About how long a step is."""
    parts = _PART.findall(every)
    if not parts or "".join(map("".join, parts)) != every:
        parts = []
    length = sum(int(n) * _SECONDS.get(unit, _DAY_S) for n, unit in parts)
    if length <= 0:
        raise LabError(
            f"{every!r} is not a time step. Write one as 15m, 1h, 1d, 1w or 1mo."
        )
    return length

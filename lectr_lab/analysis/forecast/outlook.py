"""What one series of days leads to: its month, its next week, when a budget is reached."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

import polars as pl

from lectr_lab.analysis.cells.newest import day_ends
from lectr_lab.analysis.forecast.drift import MOST_DAYS, Ahead, Drift, drift
from lectr_lab.analysis.forecast.result import Budget, Outlook
from lectr_lab.analysis.log import AnyLog, Log
from lectr_lab.analysis.monthly import seen_span
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.time_steps import polars_zone
from lectr_lab.core.recommendation import Interval

Period: TypeAlias = Literal["day", "week", "month"]
Key: TypeAlias = tuple[Any, ...]

_WEEK = 7


class Calendar(NamedTuple):
    """Which days were seen whole, and in which month and period they end."""

    first: date
    last: date  # seen whole
    today: date  # of the last request
    usd: float | None
    period: Period

    def end_of(self, period: Period) -> date:
        if period == "day":
            return self.today
        if period == "week":
            return self.today + timedelta(days=6 - self.today.weekday())
        later = (self.today.replace(day=28) + timedelta(days=4)).replace(day=1)
        return later - timedelta(days=1)

    @property
    def rests_on(self) -> date:
        """The first of the days that anything is told of."""
        told = self.last - timedelta(days=MOST_DAYS - 1)
        return min(told, self.begin_of("month"), self.begin_of(self.period))

    def begin_of(self, period: Period) -> date:
        if period == "month":
            return self.today.replace(day=1)
        back = self.today.weekday() if period == "week" else 0
        return self.today - timedelta(days=back)


def calendar_of(
    edges: pl.DataFrame, usd: float | None = None, period: Period = "month"
) -> Calendar:
    """The days of a log that is not empty.

    Args:
        edges: as `edges` gives them.
        usd: a budget.
        period: that it is for.
    """
    span, today = seen_span(edges), edges["day"][-1]
    first, last = span or (today + timedelta(days=1), today)
    return Calendar(first, last, today, usd, period)


def edges(log: AnyLog, tz: str) -> pl.DataFrame:
    """One row per day of the time zone: `first_us` and `last_us`, times of day, of all
    that was logged on it."""
    if isinstance(log, Log):
        found = log.day_ends(tz)
    else:
        found = collected(day_ends(log, polars_zone(tz)))
    at = pl.col("first", "last").dt.convert_time_zone(polars_zone(tz))
    us = (at - at.dt.truncate("1d")).dt.total_microseconds()
    return found.select("day", us.name.suffix("_us"))


def outlook(
    key: Key, spent: Mapping[date, float], calendar: Calendar, confidence: float
) -> Outlook:
    """What a series leads to.

    Args:
        key: whose it is.
        spent: USD by day; days without are left out.
        calendar: the days of its log.
        confidence: of the intervals.
    """
    days, found = _drift(spent, calendar)
    bill = _bill(spent, calendar, found, confidence)
    week = None
    if found is not None:
        week = Ahead(*(_WEEK * usd for usd in found.ahead(_WEEK, confidence)))
    return Outlook(
        key=key,
        days=days,
        spent_usd=_between(spent, calendar.begin_of("month"), calendar.today),
        bill_usd=bill and bill.mean,
        bill=bill and Interval(bill.low, bill.high, confidence),
        next_week_usd=week and week.mean,
        next_week=week and Interval(week.low, week.high, confidence),
        budget=_reached(spent, calendar, found, confidence),
    )


def when_reached(
    spent: Mapping[date, float], calendar: Calendar, confidence: float
) -> Budget | None:
    """When the budget of the calendar is reached; None without one."""
    return _reached(spent, calendar, _drift(spent, calendar)[1], confidence)


def _drift(spent: Mapping[date, float], calendar: Calendar) -> tuple[int, Drift | None]:
    """How many whole days there are, and what they lead to."""
    if not spent:
        return 0, None
    first = max(calendar.first, min(spent))
    n = max((calendar.last - first).days + 1, 0)
    series = [spent.get(first + timedelta(days=i), 0.0) for i in range(n)]
    ends = [calendar.end_of("month"), calendar.end_of(calendar.period)]
    most = max(_WEEK, *((end - calendar.last).days for end in ends))
    return n, drift(series, most)


def _between(spent: Mapping[date, float], first: date, last: date) -> float:
    return sum(usd for day, usd in spent.items() if first <= day <= last)


def _bill(
    spent: Mapping[date, float],
    calendar: Calendar,
    found: Drift | None,
    confidence: float,
) -> Ahead | None:
    """What the month costs: what was spent, and the days to come."""
    begin, end = calendar.begin_of("month"), calendar.end_of("month")
    so_far = _between(spent, begin, calendar.today)
    days = (end - calendar.last).days
    if days <= 0:
        return Ahead(so_far, so_far, so_far)
    if found is None:
        return None
    known = _between(spent, begin, calendar.last)
    return Ahead(
        *(max(known + days * usd, so_far) for usd in found.ahead(days, confidence))
    )


def _reached(
    spent: Mapping[date, float],
    calendar: Calendar,
    found: Drift | None,
    confidence: float,
) -> Budget | None:
    usd, period = calendar.usd, calendar.period
    if usd is None:
        return None
    begin, end = calendar.begin_of(period), calendar.end_of(period)
    total = 0.0
    for day in sorted(day for day in spent if begin <= day <= calendar.today):
        total += spent[day]
        if total >= usd:
            return Budget(total, 1.0, day, day, day)
    days = (end - calendar.last).days
    if days <= 0:
        return Budget(total, 0.0)
    if found is None:
        return Budget(total)
    to_come = usd - _between(spent, begin, calendar.last)
    reached: list[date | None] = [None, None, None]
    for ahead in range(1, days + 1):
        day = calendar.last + timedelta(days=ahead)
        if day < calendar.today:
            continue
        bounds = found.ahead(ahead, confidence)
        for i, usd_day in enumerate(bounds):
            if reached[i] is None and ahead * usd_day >= to_come:
                reached[i] = day
    on, latest, earliest = reached
    return Budget(total, found.chance_above(to_come / days, days), on, earliest, latest)

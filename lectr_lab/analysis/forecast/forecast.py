"""The month's bill, next week's, and the day on which a budget is reached."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

import polars as pl

from lectr_lab.analysis.forecast.drift import Ahead, Drift, drift
from lectr_lab.analysis.forecast.result import Budget, Forecast, Outlook
from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.monthly import seen_span
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import By, key_names
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.recommendation import Interval

Period: TypeAlias = Literal["day", "week", "month"]

MOST_GROUPS = 50
"""Of more groups, the dearest of this month."""

_WEEK = 7


class _Calendar(NamedTuple):
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

    def begin_of(self, period: Period) -> date:
        if period == "month":
            return self.today.replace(day=1)
        back = self.today.weekday() if period == "week" else 0
        return self.today - timedelta(days=back)


def forecast(
    log: Log,
    by: By | None = None,
    *,
    usd: float | None = None,
    per: Period = "month",
    org: str | None = None,
    tz: str = "UTC",
    confidence: float = 0.9,
) -> Forecast:
    """What the month will cost, and next week; and when a budget is reached.

    The month is that of the log's last request. What was spent in it is known; the days
    to come are told from the latest twelve weeks, by day, with their drift and their
    weekdays. Nine in ten of such intervals hold what is then spent
    (`data/interval_coverage.md`); no interval from the past knows of a launch.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        by: one forecast for each value of a column, or of several; None: one of all.
        usd: a budget, in USD: when is it reached?
        per: of a day, a week (from Monday) or a month.
        org: one org alone.
        tz: the time zone in which days begin.
        confidence: of the intervals, above 0 and below 1.

    Returns:
        One outlook per group, dearest first, which shows itself; `.frame()` is a table.
        Under 7 whole days it has what was spent, and no forecast.

    Raises:
        ConfigError: the budget is not above 0, the period none of the three, or the
            confidence not between 0 and 1.
        LabError: a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> print(lectr.forecast(lectr.demo_log()).sentence.split(" (")[0])
    November 2026: $61.38 until 22 Nov, about $84.01 by its end
    """
    _check(usd, per, confidence)
    log = as_log(log)
    if org is not None:
        log = log.filter(pl.col("org") == org)
    edges = _edges(log, tz).collect(engine="streaming")
    if edges.is_empty():
        return Forecast(confidence=confidence)
    span = seen_span(edges)
    today = edges["day"][-1]
    first, last = span or (today + timedelta(days=1), today)
    calendar = _Calendar(first, last, today, usd, per)
    keys = [] if by is None else key_names(by, None, org)
    days = spend(log, by, every="1d", tz=tz, org=org).collect(engine="streaming")
    days = days.with_columns(day=pl.col("time").dt.date())
    order = days.filter(pl.col("day") >= calendar.begin_of("month"))
    parts = _parts(days, order, keys)
    return Forecast(
        outlooks=tuple(
            _outlook(key, part, calendar, confidence)
            for key, part in list(parts.items())[:MOST_GROUPS]
        ),
        keys=tuple(keys),
        groups=len(parts),
        until=today,
        whole_until=None if span is None else last,
        unpriced=int(days["unpriced"].sum()),
        budget_usd=usd,
        per=per,
        confidence=confidence,
    )


def forecast_payload(log: pl.LazyFrame, **asked: Any) -> dict[str, Any]:
    """A forecast of the whole log in plain numbers, dates as text, and its sentence.

    Args:
        log: events with `cost_usd`.
        asked: what else `forecast` takes.

    >>> from lectr_lab.log.schema import frame
    >>> forecast_payload(frame([]).lazy())["bill_usd"] is None
    True
    """
    return forecast(log, **asked).payload()


def _check(usd: float | None, per: str, confidence: float) -> None:
    if usd is not None and not 0 < usd < float("inf"):
        raise ConfigError(f"A budget of {usd:g} USD is none: give one above 0.")
    if per not in ("day", "week", "month"):
        raise ConfigError(f"A budget is per day, week or month, and not per {per!r}.")
    if not 0 < confidence < 1:
        raise ConfigError(f"A confidence of {confidence:g} is not in (0, 1): 0.9, say.")


def _edges(log: pl.LazyFrame, tz: str) -> pl.LazyFrame:
    """One row per day of the time zone: `first_us` and `last_us`, times of day."""
    at = pl.col("started_at").dt.convert_time_zone(tz)
    us = (at - at.dt.truncate("1d")).dt.total_microseconds()
    return (
        log.filter(rows.is_request())
        .group_by(day=at.dt.date())
        .agg(first_us=us.min(), last_us=us.max())
        .sort("day")
    )


_Key: TypeAlias = tuple[Any, ...]


def _parts(
    days: pl.DataFrame, month: pl.DataFrame, keys: list[str]
) -> dict[_Key, dict[date, float]]:
    """Spend by day of each group, those that cost most this month first."""
    spent = usd_sum("spend_usd")
    total = month.group_by(keys).agg(spent) if keys else month.select(spent)
    dear = {tuple(row[:-1]): row[-1] for row in total.iter_rows()}
    found: dict[_Key, dict[date, float]] = {}
    for row in days.group_by([*keys, "day"]).agg(spent).sort("day").iter_rows():
        found.setdefault(tuple(row[:-2]), {})[row[-2]] = row[-1]
    names = sorted(found, key=lambda key: (-dear.get(key, 0.0), str(key)))
    return {name: found[name] for name in names}


def _outlook(
    key: _Key, spent: Mapping[date, float], calendar: _Calendar, confidence: float
) -> Outlook:
    first = max(calendar.first, min(spent))
    n = max((calendar.last - first).days + 1, 0)
    series = [spent.get(first + timedelta(days=i), 0.0) for i in range(n)]
    month_end = calendar.end_of("month")
    ends = [month_end, calendar.end_of(calendar.period)]
    most = max(_WEEK, *((end - calendar.last).days for end in ends))
    found = drift(series, most)
    bill = _bill(spent, calendar, "month", found, confidence)
    week = None
    if found is not None:
        week = Ahead(*(_WEEK * usd for usd in found.ahead(_WEEK, confidence)))
    return Outlook(
        key=key,
        days=n,
        spent_usd=_between(spent, calendar.begin_of("month"), calendar.today),
        bill_usd=bill and bill.mean,
        bill=bill and Interval(bill.low, bill.high, confidence),
        next_week_usd=week and week.mean,
        next_week=week and Interval(week.low, week.high, confidence),
        budget=_budget(spent, calendar, found, confidence),
    )


def _between(spent: Mapping[date, float], first: date, last: date) -> float:
    return sum(usd for day, usd in spent.items() if first <= day <= last)


def _bill(
    spent: Mapping[date, float],
    calendar: _Calendar,
    period: Period,
    found: Drift | None,
    confidence: float,
    until: date | None = None,
) -> Ahead | None:
    """What a period costs up to a day: what was spent, and the days to come."""
    begin, end = calendar.begin_of(period), until or calendar.end_of(period)
    so_far = _between(spent, begin, min(calendar.today, end))
    days = (end - calendar.last).days
    if days <= 0:
        return Ahead(so_far, so_far, so_far)
    if found is None:
        return None
    known = _between(spent, begin, calendar.last)
    return Ahead(
        *(max(known + days * usd, so_far) for usd in found.ahead(days, confidence))
    )


def _budget(
    spent: Mapping[date, float],
    calendar: _Calendar,
    found: Drift | None,
    confidence: float,
) -> Budget | None:
    """When the budget of the period is reached; None without one."""
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

"""The month's bill, next week's, and the day on which a budget is reached."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from lectr_lab.analysis.forecast.of_budgets import of_budgets
from lectr_lab.analysis.forecast.outlook import (
    Key,
    Period,
    calendar_of,
    edges,
    outlook,
)
from lectr_lab.analysis.forecast.result import Forecast
from lectr_lab.analysis.given_log import Log, narrowed, opened
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.groups import By, key_names
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.analysis.views.selection import Period as Days
from lectr_lab.analysis.views.selection import Selection, selection
from lectr_lab.analysis.views.spend import spend
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import settings_beside
from lectr_lab.core.errors import ConfigError, LabError

MOST_GROUPS = 50
"""Of more groups, the dearest of this month."""


def forecast(
    log: Log,
    by: By | None = None,
    *,
    usd: float | None = None,
    per: Period = "month",
    org: str | None = None,
    tz: str = "UTC",
    confidence: float = 0.9,
    budgets: Sequence[BudgetSettings] | None = None,
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
        budgets: of the whole log, as lectr.toml has them; None: those of the lectr.toml
            beside the lab folder, where the log is all of it and no org is asked for.

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
    if budgets is None:
        budgets = () if org is not None else budgets_beside(log)
    whole = opened(log)
    own = whole if org is None else narrowed(whole, selection({"org": org}))
    found = edges(own, tz)
    if found.is_empty():
        return Forecast(confidence=confidence)
    calendar = calendar_of(found, usd, per)
    keys = [] if by is None else key_names(by, None, org)
    begin = datetime.combine(calendar.rests_on, time(), zone(tz)).astimezone(UTC)
    latest = narrowed(own, Selection(when=Days(begin)))
    days = collected(spend(latest, by, every="1d", tz=tz, org=org))
    days = days.with_columns(day=pl.col("time").dt.date())
    order = days.filter(pl.col("day") >= calendar.begin_of("month"))
    parts = _parts(days, order, keys)
    if not parts:  # of what was logged, nothing was a call
        return Forecast(confidence=confidence)
    return Forecast(
        outlooks=tuple(
            outlook(key, part, calendar, confidence)
            for key, part in list(parts.items())[:MOST_GROUPS]
        ),
        keys=tuple(keys),
        groups=len(parts),
        until=calendar.today,
        whole_until=calendar.last if calendar.first <= calendar.last else None,
        unpriced=int(days["unpriced"].sum()),
        budget_usd=usd,
        per=per,
        budgets=of_budgets(whole, budgets, confidence) if budgets else (),
        confidence=confidence,
    )


def forecast_payload(log: Log, **asked: Any) -> dict[str, Any]:
    """A forecast of the whole log in plain numbers, dates as text, and its sentence.

    Args:
        log: events with `cost_usd`.
        asked: what else `forecast` takes.

    >>> from lectr_lab.log.schema import frame
    >>> forecast_payload(frame([]).lazy())["bill_usd"] is None
    True
    """
    return forecast(log, **asked).payload()


def budgets_beside(log: Any) -> tuple[BudgetSettings, ...]:
    """The budgets of the lectr.toml beside a lab folder, a proxy's or that of a log as
    `scan` gives it; none where it is a part of one or another log, or where that file
    cannot be followed."""
    folder = getattr(log, "lab", log)
    if not isinstance(folder, str | os.PathLike) or not getattr(log, "is_whole", True):
        return ()
    try:
        return settings_beside(Path(folder), os.environ).budgets
    except LabError:
        return ()


def _check(usd: float | None, per: str, confidence: float) -> None:
    if usd is not None and not 0 < usd < float("inf"):
        raise ConfigError(f"A budget of {usd:g} USD is none: give one above 0.")
    if per not in ("day", "week", "month"):
        raise ConfigError(f"A budget is per day, week or month, and not per {per!r}.")
    if not 0 < confidence < 1:
        raise ConfigError(f"A confidence of {confidence:g} is not in (0, 1): 0.9, say.")


def _parts(
    days: pl.DataFrame, month: pl.DataFrame, keys: list[str]
) -> dict[Key, dict[date, float]]:
    """Spend by day of each group, those that cost most this month first."""
    spent = usd_sum("spend_usd")
    total = month.group_by(keys).agg(spent) if keys else month.select(spent)
    dear = {tuple(row[:-1]): row[-1] for row in total.iter_rows()}
    found: dict[Key, dict[date, float]] = {}
    for row in days.group_by([*keys, "day"]).agg(spent).sort("day").iter_rows():
        found.setdefault(tuple(row[:-2]), {})[row[-2]] = row[-1]
    names = sorted(found, key=lambda key: (-dear.get(key, 0.0), str(key)))
    return {name: found[name] for name in names}

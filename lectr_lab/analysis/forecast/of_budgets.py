"""When the budgets of a lectr.toml are reached."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import cast

import polars as pl

from lectr_lab.analysis.forecast.outlook import Period, calendar_of, edges, when_reached
from lectr_lab.analysis.forecast.result import BudgetOutlook
from lectr_lab.analysis.given_log import narrowed
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.money import usd_sum
from lectr_lab.analysis.views.selection import Period as Days
from lectr_lab.analysis.views.selection import Selection
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.event import UNTAGGED


def of_budgets(
    log: AnyLog, budgets: Sequence[BudgetSettings], confidence: float = 0.9
) -> tuple[BudgetOutlook, ...]:
    """When each budget is reached that is one for all whom it is for.

    Args:
        log: the whole log of the lab, with `cost_usd`.
        budgets: as lectr.toml has them; of one for each of several, of a key's or of a
            run's, nothing is told.
        confidence: of the intervals.

    Returns:
        One each, in their order, by what its proxies count: no imported row, and
        nothing that a plan covers.
    """
    told = [budget for budget in budgets if _is_told(budget)]
    seen = {tz: edges(log, tz) for tz in {budget.tz for budget in told}}
    return tuple(
        _outlook(budget, seen[budget.tz], _latest(log, budget, seen), confidence)
        for budget in told
        if not seen[budget.tz].is_empty()
    )


def _latest(
    log: AnyLog, budget: BudgetSettings, seen: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """What a budget's requests cost on each of the days that anything is told of."""
    calendar = calendar_of(seen[budget.tz], budget.usd, cast("Period", budget.per))
    begin = datetime.combine(calendar.rests_on, time(), zone(budget.tz))
    latest = narrowed(log, Selection(when=Days(begin.astimezone(UTC))))
    return collected(spent(latest.lazy(), budget))


def spent(log: pl.LazyFrame, budget: BudgetSettings) -> pl.LazyFrame:
    """What a budget's requests cost: a row a `day` of its time zone, with `spend_usd`."""
    at = pl.col("started_at").dt.convert_time_zone(budget.tz)
    counted = [
        pl.col("source").is_null(),
        pl.col("outcome") != "refused",
        pl.col("credential").ne_missing("plan"),
    ]
    named = [_named(column) == name for column, name in budget.of.items()]
    return (
        log.filter(*counted, *named)
        .group_by(day=at.dt.date())
        .agg(spend_usd=usd_sum("cost_usd"))
    )


def _outlook(
    budget: BudgetSettings, seen: pl.DataFrame, days: pl.DataFrame, confidence: float
) -> BudgetOutlook:
    calendar = calendar_of(seen, budget.usd, cast("Period", budget.per))
    usd = dict(days.iter_rows())
    return BudgetOutlook(
        name=budget.name,
        whom=budget.told_whom,
        usd=budget.usd,
        per=budget.per,
        reached=when_reached(usd, calendar, confidence),
    )


def _named(column: str) -> pl.Expr:
    names = pl.col(column)
    return names.fill_null(UNTAGGED) if column == "feature" else names


def _is_told(budget: BudgetSettings) -> bool:
    """It has days, and one sum that events tell: no event says whose key it was."""
    return not (budget.each or budget.by_run or "key" in budget.of)

"""What a page says of the days to come."""

from collections.abc import Sequence
from typing import Any

from lectr_lab.analysis.forecast import forecast
from lectr_lab.analysis.log import AnyLog
from lectr_lab.config.budget_settings import BudgetSettings


def foretold(
    log: AnyLog, tz: str = "UTC", budgets: Sequence[BudgetSettings] = ()
) -> dict[str, Any]:
    """The month's bill and when budgets are reached, ready for JSON.

    Args:
        log: events with `cost_usd`; it is read.
        tz: the time zone in which days begin.
        budgets: of the whole log.

    Returns:
        `forecast`; nothing where the log has too few days to tell.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> foretold(demo_log())["forecast"]["sentence"].partition(",")[0]
    'November 2026: $61.38 until 22 Nov'
    >>> foretold(demo_log().head(10))
    {}
    """
    found = forecast(log, tz=tz, budgets=budgets)
    payload = found.payload()
    return {} if payload["bill_usd"] is None else {"forecast": payload}

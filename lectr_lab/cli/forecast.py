"""`lectr-lab forecast`: this month's bill, next week's, and when a budget is reached."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.options import LabOrUrl
from lectr_lab.cli.say import say, say_json
from lectr_lab.cli.width import wide_console

if TYPE_CHECKING:
    from lectr_lab.analysis.forecast.result import BudgetOutlook, Forecast

Format = Literal["table", "json", "csv"]


def forecast(
    lab: LabOrUrl = None,
    *,
    by: str | None = None,
    usd: float | None = None,
    per: Literal["day", "week", "month"] = "month",
    org: list[str] | None = None,
    feature: list[str] | None = None,
    prices: Path | None = None,
    confidence: float = 0.9,
    format: Format = "table",
    json: bool = False,
    tz: str = "UTC",
) -> None:
    """Say what this month and the next seven days will cost, and how sure that is.

    The month is that of the log's last request. It takes 7 whole days of traffic. Of the
    budgets in the lectr.toml beside the lab it says when each is reached.

    Example: lectr-lab forecast lab --by feature --usd 500 --per month

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        by: columns of the log to group by, with commas between, such as feature,model.
        usd: a budget in USD: on which day is it reached?
        per: whether the budget is for a day, a week (from Monday) or a month.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        prices: your own prices (default: prices.toml in the lab folder, where it is).
        confidence: of the intervals, above 0 and below 1.
        format: a sentence and a table, or json or csv with every column.
        json: the same as --format json.
        tz: the time zone in which days begin, such as Europe/Berlin.

    Raises:
        LabError: there is no such lab, or what was asked cannot be followed.
    """
    from lectr_lab.analysis.forecast import forecast as foretell
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.settings import lab_here

    lab = lab or lab_here(os.environ)
    log = select(scan(lab, own_prices(lab, prices)), org=org, feature=feature, tz=tz)
    keys = [name.strip() for name in (by or "").split(",") if name.strip()]
    found = foretell(log, keys or None, usd=usd, per=per, tz=tz, confidence=confidence)
    if json or format == "json":
        say_json(_in_full(found))
    elif format == "csv":
        print(csv_text(found.frame()))
    else:
        say(found.in_full(wide_console().width))


def _in_full(found: "Forecast") -> dict[str, Any]:
    """All that was found."""
    return {
        "until": found.until,
        "sentence": found.sentence,
        "confidence": found.confidence,
        "forecast": found.frame().to_dicts(),
        "budgets": [_budget(one) for one in found.budgets],
    }


def _budget(one: "BudgetOutlook") -> dict[str, Any]:
    """When a budget is reached; null where nobody can say."""
    when = {} if one.reached is None else one.reached._asdict()
    return {
        "name": one.name,
        "for": one.whom,
        "usd": one.usd,
        "per": one.per,
        **when,
    }

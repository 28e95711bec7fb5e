"""`lectr-lab forecast`: this month's bill, next week's, and when a budget is reached."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.options import Lab
from lectr_lab.cli.width import wide_console

if TYPE_CHECKING:
    from lectr_lab.analysis.forecast.result import Forecast

Format = Literal["table", "json", "csv"]


def forecast(
    lab: Lab = None,
    *,
    by: str | None = None,
    usd: float | None = None,
    per: Literal["day", "week", "month"] = "month",
    org: list[str] | None = None,
    feature: list[str] | None = None,
    prices: Path | None = None,
    confidence: float = 0.9,
    format: Format = "table",
    tz: str = "UTC",
) -> None:
    """Say what this month and the next seven days will cost, and how sure that is.

    The month is that of the log's last request. It takes 7 whole days of traffic.

    Example: lectr-lab forecast lab --by feature --usd 500 --per month

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        by: columns of the log to group by, with commas between, such as feature,model.
        usd: a budget in USD: on which day is it reached?
        per: whether the budget is for a day, a week (from Monday) or a month.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        prices: your own prices (default: prices.toml in the lab folder, where it is).
        confidence: of the intervals, above 0 and below 1.
        format: a sentence and a table, or json or csv with every column.
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
    print({"table": _as_table, "json": _as_json, "csv": _as_csv}[format](found))


def _as_table(found: "Forecast") -> str:
    return found.in_full(wide_console().width)


def _as_json(found: "Forecast") -> str:
    """All that was found; in ASCII, so that no name steers a terminal."""
    import json

    whole = {
        "until": found.until,
        "sentence": found.sentence,
        "confidence": found.confidence,
        "forecast": found.frame().to_dicts(),
    }
    return json.dumps(whole, indent=2, default=str, allow_nan=False)


def _as_csv(found: "Forecast") -> str:
    return csv_text(found.frame())

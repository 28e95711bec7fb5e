"""`lectr-lab recommend`: where a cheaper model may do, and why."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.nothing_fits import check_something_fits
from lectr_lab.cli.options import LabOrUrl
from lectr_lab.cli.say import say, say_json
from lectr_lab.cli.width import wide_console

Format = Literal["table", "json", "csv"]


def recommend(
    lab: LabOrUrl = None,
    *,
    since: str | None = None,
    until: str | None = None,
    org: list[str] | None = None,
    feature: list[str] | None = None,
    prices: Path | None = None,
    rules: Path | None = None,
    overwrite: bool = False,
    format: Format = "table",
    json: bool = False,
    tz: str = "UTC",
) -> None:
    """Say which cheaper models to try for which traffic, what that saves, and why.

    Each feature's very requests are priced again as the cheaper model. Quality is not
    in the log: `lectr-lab evidence` compares answers, and `lectr-lab simulate` says
    what a rule would have changed. A task declared as `reasoning` is never named.

    Example: lectr-lab recommend lab --since 30d --rules rules.toml

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        since: 24h, 7d, 2026-11-01, or a period such as 2026-11-01..2026-11-07.
        until: the last day, or a moment such as 2026-11-01T12:00.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        prices: your own prices (default: prices.toml in the lab folder, where it is).
        rules: write what is recommended to this file too, as rules for the proxy; a
            file without a rule, such as that of `lectr-lab init`, is added to.
        overwrite: replace a --rules file that has rules.
        format: a table with reasons, or json or csv with every column.
        json: the same as --format json.
        tz: the time zone in which days begin, such as Europe/Berlin.

    Raises:
        LabError: there is no such lab, a time or the prices cannot be followed, or the
            rules cannot be written.
    """
    from lectr_lab.analysis.recommend import recommend as advise
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.settings import lab_here

    lab = lab or lab_here(os.environ)
    own = own_prices(lab, prices)
    whole = scan(lab, own)
    log = select(whole, org=org, feature=feature, since=since, until=until, tz=tz)
    asked = {"org": org, "feature": feature, "since": since, "until": until}
    check_something_fits(whole, log, **asked)
    found = advise(log, now=datetime.now(UTC), prices=own)
    if json or format == "json":
        recommended, passed_over = found.frame(), found.passed_over_frame()
        say_json(
            {
                "recommended": recommended.to_dicts(),
                "passed_over": passed_over.to_dicts(),
            }
        )
    elif format == "csv":
        print(csv_text(found.frame()))
    else:
        say(found.in_full(wide_console().width))
    if rules is not None:
        found.rules(rules, overwrite=overwrite)
        print(
            f"Wrote {rules}. `lectr-lab simulate --rules {rules}` says what it would have "
            "changed.",
            file=sys.stderr,
        )

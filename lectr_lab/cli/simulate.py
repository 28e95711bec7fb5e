"""`lectr-lab simulate`: what rules would have changed, had they been on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.nothing_fits import check_something_fits
from lectr_lab.cli.options import LabOrUrl
from lectr_lab.cli.say import say, say_json
from lectr_lab.core.errors import ConfigError

if TYPE_CHECKING:
    from lectr_lab.analysis.monthly import Monthly
    from lectr_lab.analysis.simulate.result import Simulation

Format = Literal["table", "json", "csv"]


def simulate(
    lab: LabOrUrl = None,
    *,
    rules: Path | None = None,
    since: str | None = None,
    until: str | None = None,
    org: list[str] | None = None,
    feature: list[str] | None = None,
    prices: Path | None = None,
    confidence: float = 0.9,
    format: Format = "table",
    json: bool = False,
    tz: str = "UTC",
) -> None:
    """Say what a log's requests would have cost under these rules, and what that assumes.

    The same function decides as in a running proxy. A rule to another provider is
    followed where your own key of it is set up, as `lectr-lab rules check` says.

    Example: lectr-lab simulate lab --rules rules.toml --since 30d

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        rules: the rules file (default: the one lectr.toml names, else rules.toml).
        since: 24h, 7d, 2026-11-01, or a period such as 2026-11-01..2026-11-07.
        until: the last day, or a moment such as 2026-11-01T12:00.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        prices: your own prices (default: prices.toml in the lab folder, where it is).
        confidence: of the intervals, above 0 and below 1.
        format: a table with what was assumed, or json or csv with every column.
        json: the same as --format json.
        tz: the time zone in which days begin, such as Europe/Berlin.

    Raises:
        LabError: there is no such lab, or the rules, a time or the prices cannot be
            followed.
    """
    from lectr_lab.analysis.scan import own_prices, scan
    from lectr_lab.analysis.simulate import simulate as rerun
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.operator_keys import OperatorKeys
    from lectr_lab.config.settings import settings_here
    from lectr_lab.core.routing.rules_file import RULES_FILE

    if not 0 < confidence < 1:
        raise ConfigError(f"--confidence {confidence:g} is not in (0, 1): 0.9, say.")
    settings = settings_here(os.environ)
    file = rules or Path(settings.rules or RULES_FILE)
    if not file.exists():
        raise ConfigError(
            f"There is no {file}. `lectr-lab init` writes one to begin with; name "
            "another with --rules."
        )
    lab = lab or Path(settings.lab)
    own = own_prices(lab, prices)
    whole = scan(lab, own)
    log = select(whole, org=org, feature=feature, since=since, until=until, tz=tz)
    asked = {"org": org, "feature": feature, "since": since, "until": until}
    check_something_fits(whole, log, **asked)
    keyed = OperatorKeys(settings, os.environ).keyed("")
    found = rerun(log, file, keyed=keyed, prices=own, confidence=confidence)
    if json or format == "json":
        say_json(_whole(found))
    elif format == "csv":
        print(csv_text(found.frame()))
    else:
        say(repr(found))


def _whole(found: "Simulation") -> dict[str, Any]:
    """All that was found."""
    import msgspec

    whole = msgspec.structs.asdict(found) | {"saving_usd": found.saving_usd}
    whole |= {"unjudged": found.unjudged._asdict(), "moves": found.frame().to_dicts()}
    for name in ("before_month", "after_month", "saving_month"):
        month = whole[name]
        whole[name] = month and _month(month)
    return whole


def _month(month: "Monthly") -> dict[str, float]:
    return {"mean_usd_month": month.mean_usd_month, **month.interval._asdict()}

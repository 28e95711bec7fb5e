"""`lectr-lab odd`: what is odd, what of it is dismissed, and what was noted."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from lectr_lab.cli.options import Lab, LabOrUrl
from lectr_lab.core.errors import LabError

if TYPE_CHECKING:
    from lectr_lab.analysis.odd.result import Oddities
    from lectr_lab.log.folder import LabFolder

EXIT_FOUND = 3

app = App(
    name="odd",
    help_epilogue="",
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)


@app.default
def show(
    lab: LabOrUrl = None,
    *,
    since: str | None = None,
    by: str = "feature",
    budget: float = 0.3,
    org: str | None = None,
    tz: str = "UTC",
    prices: Path | None = None,
    all: bool = False,
    json: bool = False,
) -> None:
    """Say what is odd: times in which a feature did what its past did not lead to expect.

    The exit code is 3 where something is, 0 where nothing is.

    Example: lectr-lab odd lab --since 24h

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        since: only what had not ended by then, such as 24h, 7d or 2026-11-02.
        by: what is held against its past, such as feature, provider, model or client.
        budget: false alarms a feature-week that you accept, above 0 and up to 10.
        org: only this organisation.
        tz: the time zone of the hours of the day, such as Europe/Berlin.
        prices: your own prices (default: prices.toml in the lab folder, where it is).
        all: show those that were dismissed, too; they do not change the exit code.
        json: as JSON, with every number.

    Raises:
        LabError: there is no such lab, or what was asked cannot be followed.
    """
    from lectr_lab.analysis.odd import odd

    folder = lab or _lab_here()
    keys = [name.strip() for name in by.split(",") if name.strip()]
    found = odd(
        folder,
        by=keys[0] if len(keys) == 1 else keys,
        budget=budget,
        since=since,
        org=org,
        tz=tz,
        prices=prices,
    )
    if json:
        from lectr_lab.cli.say import say_json

        say_json(_in_full(found))
    else:
        from lectr_lab.cli.say import say
        from lectr_lab.cli.width import wide_console

        say(found.in_full(wide_console().width))
        for line in _ids(found):
            say(line)
        for line in _dismissed(found) if all else ():
            say(line)
    if len(found):
        sys.stdout.flush()
        sys.exit(EXIT_FOUND)


@app.command
def dismiss(
    incident: str,
    lab: Lab = None,
    *,
    why: str,
    for_: Annotated[str, Parameter(name="--for")] = "7d",
    by: str | None = None,
    of: str = "feature",
    budget: float = 0.3,
    prices: Path | None = None,
) -> None:
    """Keep the kinds of an incident quiet for its feature, here and in `watch`.

    Example: lectr-lab odd dismiss 3f2a9c0d1e4b --why "a load test" --for 7d

    Args:
        incident: its id, as `lectr-lab odd` shows it.
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        why: the reason, for others.
        for_: how long from now, such as 12h, 7d or 4w.
        by: who says so (default: the user of this terminal).
        of: what the incident is of, as --by of `lectr-lab odd`.
        budget: with which it was found.
        prices: your own prices (default: prices.toml in the lab folder, where it is).

    Raises:
        LabError: there is no such incident, or the lab cannot be written.
    """
    from lectr_lab.analysis.odd import odd
    from lectr_lab.cli.say import say

    folder = lab or _lab_here()
    keys = [name.strip() for name in of.split(",") if name.strip()]
    found = odd(
        folder, by=keys[0] if len(keys) == 1 else keys, budget=budget, prices=prices
    )
    one = found.dismiss(incident, why=why, by=by, days=_days(for_), lab=folder)
    kinds = ", ".join(kind.replace("_", " ") for kind in one.kinds)
    whose = " · ".join(name or "untagged" for name in one.series[1:])
    say(f"{whose}: {kinds} stays quiet until {one.until:%Y-%m-%d %H:%M} UTC.")


@app.command
def note(
    text: str, lab: Lab = None, *, at: datetime | None = None, by: str | None = None
) -> None:
    """Note what you did, such as a deploy: it is shown with what was odd at that time.

    Example: lectr-lab odd note "deployed v2"

    Args:
        text: a few words.
        lab: the lab folder (default: the one lectr.toml names, else ./lab).
        at: when, such as 2026-11-02T09:30 (UTC unless it says else; default: now).
        by: who says so (default: the user of this terminal).

    Raises:
        LabError: it says nothing, or the lab cannot be written.
    """
    from lectr_lab.analysis.odd.remarks import note as remember
    from lectr_lab.cli.say import say

    when = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    one = remember(_existing(lab), text, at=when, by=by)
    say(f"Noted at {one.at:%Y-%m-%d %H:%M} UTC: {one.text}")


def _lab_here() -> Path:
    from lectr_lab.config.settings import lab_here

    return lab_here(os.environ)


def _existing(lab: Path | None) -> "LabFolder":
    from lectr_lab.log.folder import LabFolder

    return LabFolder.existing(lab or _lab_here())


_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def _days(text: str) -> float:
    """A length of time in days.

    >>> _days("12h"), _days("2w")
    (0.5, 14.0)
    """
    number, unit = text[:-1], text[-1:]
    try:
        return float(number) * _UNITS[unit]
    except (KeyError, ValueError):
        raise LabError(
            f"--for {text!r}: write how long, such as 12h, 7d or 4w."
        ) from None


def _ids(found: "Oddities") -> list[str]:
    if not len(found):
        return []
    last = found[0]
    shown = " ".join(one.id for one in found.found[:10])
    return [
        f"Ids, in their order: {shown}",
        f'To keep one quiet: lectr-lab odd dismiss {last.id} --why "…"',
    ]


def _dismissed(found: "Oddities") -> list[str]:
    return [
        f"Dismissed by {said.by} until {said.until:%Y-%m-%d %H:%M} UTC, {said.why}: "
        f"{one.sentence} [{one.id}]"
        for one, said in found.dismissed
    ]


def _in_full(found: "Oddities") -> dict[str, Any]:
    """All that was found, ready for JSON; ids of rows in hexadecimal digits."""
    rows = found.frame().to_dicts()
    for row in rows:
        row["first_rows"] = [one.hex() for one in row["first_rows"]]
        row["usd_over_parts"] = {
            name.removesuffix("_usd"): row.pop(name)
            for name in [n for n in row if n.endswith("_usd")]
        }
        if row["size"] in (float("inf"), float("-inf")):
            row["size"] = None  # nothing was expected
    return {
        "since": found.looked.since,
        "until": found.looked.now,
        "budget": found.looked.budget,
        "stated": found.stated,
        "incidents": rows,
        "dismissed": [
            {
                "id": one.id,
                "sentence": one.sentence,
                "by": said.by,
                "why": said.why,
                "until": said.until,
            }
            for one, said in found.dismissed
        ],
    }

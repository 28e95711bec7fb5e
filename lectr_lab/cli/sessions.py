"""`lectr-lab sessions`: what each run of an agent did and cost, or one of them."""

import json as json_text
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from lectr_lab.cli.busy import busy
from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.nothing_fits import check_something_fits
from lectr_lab.cli.options import LabOrUrl
from lectr_lab.cli.say import say
from lectr_lab.cli.width import wide_console

if TYPE_CHECKING:
    import polars as pl

Format = Literal["table", "json", "csv"]
All = Annotated[bool, Parameter(name="--all")]

_FIRST_TO_GO = (
    *("models", "dearest_started_at", "cache_write_tokens", "output_tokens"),
    *("cache_read_tokens", "longest_pause_ms", "user", "agents", "retries", "errors"),
    *("compactions", "dearest_usd", "cache_share", "input_tokens", "requests"),
    *("estimated", "uncounted", "feature", "context_tokens", "length_ms", "client"),
)
_ID_LETTERS = (8, 13, 18, 23)  # where a UUID has its dashes
_OF_A_RUN_FIRST_TO_GO = (
    *("model", "pause_ms", "fresh_input_tokens", "cache_write_tokens", "total_ms"),
    *("started_at", "cache_read_tokens", "lane"),
)


def sessions(
    lab: LabOrUrl = None,
    *,
    session: list[str] | None = None,
    by: str | None = None,
    since: str | None = None,
    until: str | None = None,
    org: list[str] | None = None,
    feature: list[str] | None = None,
    client: list[str] | None = None,
    user: list[str] | None = None,
    infer_sessions: bool = False,
    format: Format = "table",
    json: bool = False,
    all_sessions: All = False,
    png: Path | None = None,
    tz: str = "UTC",
) -> None:
    """Say what each session of an agent did and cost, dearest first; or show one.

    Coding agents name their sessions by themselves, other programs by the header
    X-Lectr-Session.

    Example: lectr-lab sessions lab --since 7d

    What one costs: lectr-lab sessions lab --by client,feature

    One of them: lectr-lab sessions lab --session 3829a6 --png run.png

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        session: one session, by its id or the beginning of it; may be given again for
            more, which are drawn on one scale.
        by: what a session costs per feature, client, or other columns of the log, with
            commas between.
        since: 24h, 7d, 2026-11-01, or a period such as 2026-11-01..2026-11-07.
        until: the last day, or a moment such as 2026-11-01T12:00.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        client: only this client, such as claude-code.
        user: only this user.
        infer_sessions: guess the sessions of requests that name none: each of which
            holds the one before. They are called inferred-….
        format: a table, or json or csv with every column.
        json: the same as --format json.
        all_sessions: in a table every session or request, not the first 50 alone.
        png: with --session, draw it to this file.
        tz: the time zone of --since and --until, such as Europe/Berlin.

    Raises:
        LabError: there is no such lab or session, or a time cannot be followed.
    """
    from rich.console import Console

    from lectr_lab.analysis.scan import scan
    from lectr_lab.analysis.views.inferred_sessions import with_inferred
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.settings import lab_here
    from lectr_lab.core.errors import ConfigError

    if png is not None and not session:
        raise ConfigError("--png draws one session: name it with --session.")
    whole = scan(lab or lab_here(os.environ)).lazy()
    whose: dict[str, Any] = {
        "org": org,
        "feature": feature,
        "client": client,
        "user": user,
    }
    log = select(whole, **whose, since=since, until=until, tz=tz).lazy()
    check_something_fits(whole, log, **whose, since=since, until=until)
    form: Format = "json" if json else format
    with busy(Console(stderr=True)):
        if infer_sessions:
            log = with_inferred(log)
        if session:
            shown = _runs(log, session, form, all_sessions, png)
        elif by is not None:
            shown = _costs(log, _names(by), form)
        else:
            shown = _list(log, form, all_sessions)
    if form == "table":
        say(shown)
    else:
        print(shown)


def _names(by: str) -> list[str]:
    return [name.strip() for name in by.split(",") if name.strip()]


def _list(log: "pl.LazyFrame", form: Format, all_sessions: bool) -> str:
    from lectr_lab.analysis.views.sessions import (
        cost_measures,
        costs_text,
        in_short,
        sessions,
    )

    found = _read(sessions(log))
    costs = found.select(cost_measures()).row(0, named=True)
    if form == "json":
        return _json({"cost": costs, "sessions": found.to_dicts()})
    if form == "csv":
        return csv_text(found)
    text = costs_text(costs)
    if found.is_empty():
        return text
    table = _table(in_short(_with_short_ids(found)), all_sessions, _FIRST_TO_GO)
    return f"{table}\n\n{text}"


def _with_short_ids(found: "pl.DataFrame") -> "pl.DataFrame":
    """So much of each id as tells it apart, for `--session` takes that too."""
    whole = found["session"]
    for letters in _ID_LETTERS:
        short = whole.str.slice(0, letters)
        if short.n_unique() == whole.n_unique():
            return found.with_columns(short)
    return found


def _costs(log: "pl.LazyFrame", by: list[str], form: Format) -> str:
    from lectr_lab.analysis.views.sessions import sessions

    found = _read(sessions(log, by))
    if form == "json":
        return _json({"groups": found.to_dicts()})
    if form == "csv":
        return csv_text(found)
    if found["org"].n_unique() <= 1 and found.width > 1:
        found = found.drop("org")
    return _table(found, True, ("spend_usd", "p95_usd", "priced", "median_usd"))


def _runs(
    log: "pl.LazyFrame",
    ids: list[str],
    form: Format,
    everything: bool,
    png: Path | None,
) -> str:
    from lectr_lab.dashboards.session import session

    run = session(log, *ids)
    written = "" if png is None else f"\n\nThe picture is in {run.write(png)}."
    if form == "json":
        return _json({"requests": run.frame.to_dicts()})
    if form == "csv":
        return csv_text(run.frame)
    tables = (
        f"{one.title}\n{_table(one.frame, everything, _OF_A_RUN_FIRST_TO_GO)}"
        for one in run.tables()
    )
    return "\n\n".join(tables) + written


def _read(view: "pl.LazyFrame") -> "pl.DataFrame":
    import polars as pl

    # What polars reads once for two uses, it keeps: millions of whole rows.
    apart = pl.QueryOptFlags(comm_subplan_elim=False)
    return view.collect(engine="streaming", optimizations=apart)


def _table(
    found: "pl.DataFrame", everything: bool, first_to_go: tuple[str, ...]
) -> str:
    from lectr_lab.tables import text_table
    from lectr_lab.tables.columns import MOST_ROWS

    there = [name for name in first_to_go if name in found.columns]
    most = found.height if everything else MOST_ROWS
    width = wide_console().width
    return text_table(found, width=width, most_rows=most, first_to_go=there)


def _json(whole: dict[str, Any]) -> str:
    """In ASCII, so that no name steers a terminal."""
    return json_text.dumps(whole, indent=2, default=str, allow_nan=False)

"""`lectr-lab report`: what a log says, in a terminal, for a program, or as a page."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from cyclopts import Parameter

from lectr_lab.cli.busy import busy
from lectr_lab.cli.csv_text import csv_text
from lectr_lab.cli.markdown import markdown_table, plain
from lectr_lab.cli.nothing_fits import check_something_fits
from lectr_lab.cli.options import LabOrUrl, is_far
from lectr_lab.cli.say import say
from lectr_lab.cli.width import wide_console
from lectr_lab.core.errors import LogError
from lectr_lab.core.printable import printable

if TYPE_CHECKING:
    import polars as pl

    from lectr_lab.analysis.log import AnyLog
    from lectr_lab.log.losses import Losses

Format = Literal["table", "json", "csv", "md"]
All = Annotated[bool, Parameter(name="--all")]


class Report(NamedTuple):
    """What is printed: a row per group, one of all, and what that one says in words."""

    groups: "pl.DataFrame"
    totals: dict[str, Any]
    text: str


def report(
    lab: LabOrUrl = None,
    *,
    by: str = "feature",
    since: str | None = None,
    until: str | None = None,
    org: list[str] | None = None,
    feature: list[str] | None = None,
    provider: list[str] | None = None,
    model: list[str] | None = None,
    task: list[str] | None = None,
    session: list[str] | None = None,
    user: list[str] | None = None,
    client: list[str] | None = None,
    agent: list[str] | None = None,
    compare: str | None = None,
    format: Format = "table",
    json: bool = False,
    all_groups: All = False,
    html: Path | None = None,
    png: Path | None = None,
    tz: str = "UTC",
) -> None:
    """Say what requests cost, how slow they were and how often they failed.

    Example: lectr-lab report lab --since 24h --by feature,model

    Example: lectr-lab report lab --since "last week" --compare previous

    Args:
        lab: the lab folder (default: the one lectr.toml names, else ./lab); or a prefix
            that labs are shipped to, such as s3://bucket/prefix.
        by: columns of the log to group by, with commas between, such as client,session;
            day and hour, too.
        since: 24h, 7d, 2026-11-01, or a period such as 2026-11-01..2026-11-07.
        until: the last day, or a moment such as 2026-11-01T12:00.
        org: only this organisation; may be given again for more.
        feature: only this feature; "untagged" is what named none.
        provider: only this provider.
        model: only this model.
        task: only this task.
        session: only this session; "no session" is what has none, and so on.
        user: only this user.
        client: only this client, such as claude-code.
        agent: only this agent of a session.
        compare: what changed, and what made it, since an earlier span: previous is as
            long, right before; or "last month", 2026-10, 2026-11-01..2026-11-07. The
            later span is that of --since and --until, which then take such words too,
            else the last whole week.
        format: a table, or json, csv or md for other programs.
        json: the same as --format json.
        all_groups: in a table or md every group, not the 50 dearest, or latest, alone;
            json and csv always have all.
        html: write the page of charts to this file too; of one column that --by names,
            by that one, else by feature.
        png: write the charts to this picture too, by the same.
        tz: the time zone in which days begin, such as Europe/Berlin.
    """
    from rich.console import Console

    from lectr_lab.analysis.scan import scan
    from lectr_lab.analysis.views.select import select
    from lectr_lab.config.settings import lab_here
    from lectr_lab.log.folder import LabFolder
    from lectr_lab.log.losses import Losses, losses

    lab = lab or lab_here(os.environ)
    format = "json" if json else format
    keys = [name.strip() for name in by.split(",") if name.strip()]
    whose: dict[str, Any] = {
        "org": org,
        "feature": feature,
        "provider": provider,
        "model": model,
        "task": task,
        "session": session,
        "user": user,
        "client": client,
        "agent": agent,
    }
    whole = scan(lab)
    log = select(whole, **whose)
    if compare:
        check_something_fits(whole, log, **whose)
        from lectr_lab.cli.compare import print_comparison

        after = (since, until) if since and until else since or until
        print_comparison(log, compare, after, keys, format, tz=tz, lab=lab)
        return
    log = select(log, since=since, until=until, tz=tz)
    check_something_fits(whole, log, **whose, since=since, until=until)
    lost = Losses() if is_far(lab) else losses(LabFolder(Path(lab)))
    with busy(Console(stderr=True)):
        found = reported(log, keys, lost, tz)
        _write_files(log, html, png, lost, tz, _drawn_by(keys))
    if format == "json":
        print(as_json(found))
    elif format == "csv":
        print(as_csv(found))
    elif format == "md":
        print(as_markdown(found if all_groups else shortened(found)))
    else:
        _print_table(found if all_groups else shortened(found))
        _print_gaps(log, found.totals, lab)
        _print_forecast(log, tz)
        _print_recommendations(log, lab)


def reported(log: "AnyLog", by: list[str], lost: "Losses", tz: str = "UTC") -> Report:
    """Run the queries of a report.

    Raises:
        LabError: a column that the log does not have.
    """
    import polars as pl

    from lectr_lab.analysis.log import ranked
    from lectr_lab.analysis.views.summary import summary, totals, totals_text

    how, (dropped, unread) = ranked(log), lost
    groups, total = (
        # What polars reads once for two uses, it keeps: millions of whole rows.
        view.collect(
            engine="streaming",
            optimizations=pl.QueryOptFlags(comm_subplan_elim=False),
        )
        for view in (
            summary(log, by, tz=tz, percentiles=how),
            totals(log, dropped, unread=unread, percentiles=how),
        )
    )
    whole = total.row(0, named=True)
    return Report(groups, whole, totals_text(whole))


def shortened(found: Report) -> Report:
    """The groups that a person reads: the dearest; by day or hour, the latest."""
    from lectr_lab.tables.columns import MOST_ROWS

    more = found.groups.height - MOST_ROWS
    if more <= 0:
        return found
    timed = {"day", "hour"} & set(found.groups.columns)
    some = found.groups.tail(MOST_ROWS) if timed else _with_others(found.groups)
    which = "earlier" if timed else "more"
    note = f"… and {more:,} {which}: --all shows them; --format csv or json has them."
    return found._replace(groups=some, text=f"{note}\n\n{found.text}")


def _with_others(groups: "pl.DataFrame") -> "pl.DataFrame":
    from lectr_lab.others import with_others
    from lectr_lab.tables.columns import MOST_ROWS

    return with_others(groups, MOST_ROWS)


def _drawn_by(keys: list[str]) -> str:
    """By what the page and the picture are drawn: time has an axis of its own there."""
    return keys[0] if len(keys) == 1 and keys[0] not in ("day", "hour") else "feature"


def _write_files(
    log: "AnyLog",
    html: Path | None,
    png: Path | None,
    lost: "Losses",
    tz: str,
    by: str,
) -> None:
    if html is None and png is None:
        return
    from lectr_lab.analysis.forecast import budgets_beside
    from lectr_lab.dashboards import write_page

    try:
        if html is not None:
            more = lost._asdict() | {"budgets": budgets_beside(log)}
            write_page(log, html, **more, tz=tz, by=by)
        if png is not None:
            from lectr_lab.dashboards.picture import picture

            png.write_bytes(picture(log.lazy(), tz=tz, by=by))
    except OSError as error:
        raise LogError(
            f"{error.filename} cannot be written: {error.strerror}."
        ) from None
    for file in filter(None, (html, png)):
        # Beside what is printed, which a program may read.
        print(f"Wrote {printable(str(file.resolve()))}", file=sys.stderr)


def as_json(found: Report) -> str:
    """Everything, in units of the log; `totals` first.

    Only ASCII is written, so that no name can steer a terminal.
    """
    from json import dumps

    whole = {"totals": found.totals, "groups": found.groups.to_dicts()}
    return dumps(whole, indent=2, default=str, allow_nan=False)


def as_csv(found: Report) -> str:
    """A line per group, which a spreadsheet does not take for formulas."""
    return csv_text(found.groups)


def as_markdown(found: Report) -> str:
    """A table of Markdown, and a sentence on all of it."""
    from lectr_lab.analysis.views.summary import in_short

    return f"{markdown_table(in_short(found.groups))}\n\n{plain(found.text)}"


def _print_table(found: Report) -> None:
    from lectr_lab.analysis.views.summary import FIRST_TO_GO, in_short
    from lectr_lab.tables import text_table

    rows = found.groups.height
    if rows:
        table = text_table(
            in_short(found.groups),
            width=wide_console().width,
            most_rows=rows,
            first_to_go=FIRST_TO_GO,
        )
        say(f"{table}\n")
    say(found.text)


def _print_gaps(log: "AnyLog", totals: dict[str, Any], lab: Path | str) -> None:
    """What the sums lack, and what to write where; nothing is asked where they lack
    nothing."""
    from lectr_lab.analysis.scan import PRICE_FILE
    from lectr_lab.analysis.views import data_gaps

    if totals["unpriced"]:
        unpriced = data_gaps.unpriced_models(log).collect()
        if not unpriced.is_empty():
            where = str(Path(lab) / PRICE_FILE)
            if is_far(lab):  # nothing of ours lies there
                where = f"{PRICE_FILE}, for `lectr.scan(…, prices={PRICE_FILE!r})`"
            advice = data_gaps.price_advice(unpriced, where)
            say(f"\n{advice}")
        if odd := totals["unpriced"] - unpriced["requests"].sum():
            say(f"\n{data_gaps.CONTRADICTING}: {odd:,}.")
    if totals["estimated"] or totals["uncounted"]:
        silent = data_gaps.streams_without_usage(log.lazy()).collect()
        if not silent.is_empty():
            say(f"\n{data_gaps.streams_advice(silent)}")


def _print_forecast(log: "AnyLog", tz: str) -> None:
    """What the month will cost, where the log has days enough to say so; and when the
    budgets of a lab are reached, where this is its whole log."""
    from lectr_lab.analysis.forecast import forecast

    found = forecast(log, tz=tz)
    if found.outlooks and found.outlooks[0].bill_usd is not None:
        say("\n" + " ".join([f"Forecast: {found.sentence}", *found.budget_sentences]))


def _print_recommendations(log: "AnyLog", lab: Path | str) -> None:
    """Below the table: where a smaller model may do, where there is one."""
    from lectr_lab.analysis.recommend import recommend
    from lectr_lab.analysis.scan import own_prices

    found = recommend(log, now=datetime.now(UTC), prices=own_prices(lab))
    if len(found):
        table = found.in_short(wide_console().width)
        say(f"\n{table}\n`lectr-lab recommend` says why.")

"""The part of a log that is looked at: some features, a model, the last 24 hours."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import column
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import unnamed

_AGO = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_NO_TIME = (
    "{!r} is not a time. Write 24h, 7d, 2026-11-01, 2026-11-01T09:30 or "
    "2026-11-01..2026-11-07."
)
_STEPS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Names = str | Sequence[str] | None
"""One name, several, or None for all."""


class Period(NamedTuple):
    """From `first` to before `end`, both with a time zone; None is open."""

    first: datetime | None = None
    end: datetime | None = None


def select(
    log: Log,
    *,
    org: Names = None,
    feature: Names = None,
    provider: Names = None,
    model: Names = None,
    task: Names = None,
    session: Names = None,
    user: Names = None,
    client: Names = None,
    agent: Names = None,
    since: str | None = None,
    until: str | None = None,
    tz: str = "UTC",
    now: datetime | None = None,
    **columns: Any,
) -> pl.LazyFrame:
    """The rows of a log that fit; every argument that is None lets all through.

    Args:
        log: events.
        org: one name, or several, as written in the log; likewise the next eight.
        feature: "untagged" is what named none.
        provider: such as "openai"; "no provider" is where none is known, and so on.
        model: the model that answered, or else the one that was asked.
        task: as sent.
        session: as views and `sessions` show it.
        user: likewise.
        client: such as "claude-code".
        agent: within a session; "no agent" is the client's only or main one.
        since: "24h", "7d", a day, a moment, or a period "2026-11-01..2026-11-07";
            the last day is part of it, and either end may be open.
        until: a day, which is included, or a moment, which is not.
        tz: the time zone in which days begin.
        now: what "24h" counts back from; the present, unless told.
        columns: any other column of the log, with one value or several.

    Raises:
        LabError: a time that cannot be read, or a column that the log does not have.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> chat = lectr.select(log, feature="support-chat", provider="openai")
    >>> lectr.table(lectr.spend(chat, by="model"))
    model                    spend  share of spend  requests  priced  unpriced  uncounted  estimated
    gpt-5.4-mini-2026-03-17  $7.80           100 %     3,722   3,678         0          0         38
    In every row: org made-up-data.
    """
    log = as_log(log, costs=False)
    named = {"org": org, "feature": feature, "provider": provider, "model": model}
    named |= {"task": task, "session": session, "user": user, "client": client}
    named |= {"agent": agent, **columns}
    wanted = {name: _list(some) for name, some in named.items() if some is not None}
    # What a log has is not looked at where nothing is asked of it.
    types = log.collect_schema() if wanted else pl.Schema()
    fits = [_is_one(name, some, types) for name, some in wanted.items()]
    when = period(since, until, tz=tz, now=now or datetime.now(UTC))
    if when.first is not None:
        fits.append(pl.col("started_at") >= when.first.astimezone(UTC))
    if when.end is not None:
        fits.append(pl.col("started_at") < when.end.astimezone(UTC))
    return log.filter(*fits) if fits else log


def period(
    since: str | None, until: str | None = None, *, now: datetime, tz: str = "UTC"
) -> Period:
    """What `since` and `until` say, as moments.

    >>> noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    >>> period("24h", now=noon).first.isoformat()
    '2026-11-01T12:00:00+00:00'
    >>> period("2026-11-01..2026-11-07", now=noon).end.isoformat()
    '2026-11-08T00:00:00+00:00'
    """
    where = zone(tz)
    if since is not None and ".." in since:
        if until is not None:
            raise LabError(
                f"since={since!r} is a whole period: leave out until={until!r}, or the dots."
            )
        since, until = (end.strip() or None for end in since.split("..", 1))
    first = None if since is None else _start(since, where, now)
    end = None if until is None else _end(until, where, now)
    if first is not None and end is not None and end <= first:
        raise LabError(f"The period ends before it begins: {since} to {until}.")
    return Period(first, end)


def _start(text: str, where: ZoneInfo, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return _back(now, ago)
    return _moment(text, where)


def _end(text: str, where: ZoneInfo, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return _back(now, ago)
    if not _is_day(text):
        return _moment(text, where)
    try:
        next_day = date.fromisoformat(text.strip()) + timedelta(days=1)
    except OverflowError:
        raise LabError(_NO_TIME.format(text)) from None
    return datetime(next_day.year, next_day.month, next_day.day, tzinfo=where)


def _back(now: datetime, ago: re.Match[str]) -> datetime:
    try:
        return now - timedelta(**{_STEPS[ago[2]]: int(ago[1])})
    except OverflowError:
        raise LabError(f"{ago[0]} is longer ago than any log.") from None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _moment(text: str, where: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=where)).astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        raise LabError(_NO_TIME.format(text)) from None


def _list(some: Any) -> list[Any]:
    is_one = isinstance(some, str | bytes) or not isinstance(some, Iterable)
    return [some] if is_one else list(some)


def _is_one(name: str, wanted: list[Any], types: pl.Schema) -> pl.Expr:
    """A row has one of these; what is missing has the name that views give it."""
    if name == "feature":
        return rows.feature().is_in(wanted)
    found, none = column(name, types), unnamed(name)
    fits = found.is_in([some for some in wanted if some != none])
    if none in wanted:
        is_text = name == "model" or types[name] == pl.String
        fits |= (found == "").fill_null(True) if is_text else found.is_null()
    return fits

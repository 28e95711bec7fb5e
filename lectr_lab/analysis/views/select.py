"""The part of a log that is looked at: some features, a model, the last 24 hours."""

from datetime import datetime
from typing import Any

from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.log import Log as LabLog
from lectr_lab.analysis.views.selection import Names, Period, period, selection

__all__ = ["Names", "Period", "period", "select"]


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
) -> AnyLog:
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

    Returns:
        A log of that part: of what `scan` gives, or a folder, a `Log` like it, and
        `log.select(org=…)` is the same; of a frame, a lazy frame.

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
    named = {"org": org, "feature": feature, "provider": provider, "model": model}
    named |= {"task": task, "session": session, "user": user, "client": client}
    wanted = selection(
        {**named, "agent": agent, **columns}, since, until, tz=tz, now=now
    )
    given = opened(log, costs=False)
    return given.narrowed(wanted) if isinstance(given, LabLog) else wanted.of(given)

"""`odd`: from a log to its incidents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import polars as pl

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.odd.cells import SUMS
from lectr_lab.analysis.odd.episodes import Episode, episodes
from lectr_lab.analysis.odd.evidence_rows import looked_at, looked_between
from lectr_lab.analysis.odd.findings import judge
from lectr_lab.analysis.odd.grid import Span, block_of, grids, of_series, span_of
from lectr_lab.analysis.odd.history import History
from lectr_lab.analysis.odd.incidents import Context, Incident, incident
from lectr_lab.analysis.odd.predict import Array
from lectr_lab.analysis.odd.remarks import Remarks, remarks
from lectr_lab.analysis.odd.result import Looked, Oddities
from lectr_lab.analysis.odd.source import Source, source
from lectr_lab.analysis.views.groups import key_names
from lectr_lab.analysis.views.select import period
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.shipping.remote import is_url

_Series: TypeAlias = tuple[Any, ...]
_MOST_BUDGET = 10.0
_PAST = timedelta(days=16)  # 48 hours, and the fortnight that z are held against


def odd(
    log: Log | None = None,
    *,
    by: str | Sequence[str] = "feature",
    budget: float = 0.3,
    since: str | None = None,
    org: str | None = None,
    tz: str = "UTC",
    now: datetime | None = None,
    prices: PriceList | Path | str | None = None,
    noted: Sequence[tuple[datetime, str]] = (),
) -> Oddities:
    """What is odd: times in which a feature did what its past did not lead to expect.

    Each feature of each org is held against its own past: requests (more, fewer, none),
    spend, cost of a request, errors, latency and its tail, lengths of prompts and
    answers, cached share of the input, and which models answer; over windows of 5
    minutes, 15 minutes, an hour and six. It is active after 48 hours of traffic.

    Args:
        log: events with `cost_usd`, as `scan` gives them; or a lab folder, of which
            closed days are counted once and kept in `cells/odd/`. Without it, your own
            log, or made-up traffic where that has no request yet.
        by: what is held against its past, within its org: a column such as `feature`,
            `provider`, `model`, `client`, `user` or `session`.
        budget: how many false alarms a feature-week you accept, above 0 and up to 10.
            The smaller, the larger an incident must be. What was measured of that
            promise stands beside it.
        since: show incidents that had not ended by then: "24h", "7d", a day, a moment.
            The past that they are held against is then that of 16 days before.
        org: look at one org alone.
        tz: the time zone of the hours of the day and the week.
        now: where the record ends; else the present for a folder that a proxy serves,
            and the last request for others.
        prices: your own prices, for a folder; as for `scan`.
        noted: what you know of, such as deploys: moments and a few words each; beside
            those that were noted in the folder.

    Returns:
        Incidents, the last one first: a table that shows itself with a sentence for
        each, `.incidents` as a frame, `.series(feature, kind)` for a picture,
        `.rows(id)` with the calls of one, and `.stated`.

    Raises:
        LabError: a column, time or time zone that there is not, or no such budget.
        LogError: there is no such lab folder.

    Source: the method and its figures are in `data/odd_datasheet.md`.

    >>> import lectr_lab as lectr
    >>> found = lectr.odd(lectr.demo_log())
    >>> "document-qa" in found.incidents["feature"].to_list()
    True
    """
    if not 0 < budget <= _MOST_BUDGET:
        raise LabError(
            f"budget={budget:g} is no number of false alarms a feature-week: write one "
            f"above 0, up to {_MOST_BUDGET:g}. The usual one is 0.3."
        )
    if now is not None and now.tzinfo is None:
        now = now.replace(tzinfo=UTC)
    where, keys = zone(tz), tuple(key_names(by))
    if log is not None and (is_url(log) or not isinstance(log, str | Path)):
        log = as_log(log)
    given = source(log, by=by, org=org, now=now, prices=prices)
    asked = period(since, now=given.now, tz=tz)
    begin = asked.first.astimezone(UTC) if asked.first else None
    counted = given.cells(None if begin is None else begin - _PAST)
    begun = counted.group_by(keys).agg(first=pl.col("at").min())
    begun = begun.with_columns(pl.col(pl.Categorical).cast(pl.String)).sort(keys)
    start = given.now if counted.is_empty() else counted["at"].min()
    assert isinstance(start, datetime)
    looked = Looked(
        given.log, counted, keys, by, budget,
        max(begin or start, start), given.now, tz, begun, given.lab,
    )  # fmt: skip
    if counted.is_empty():
        return Oddities((), looked)
    span = span_of(start, given.now, where)
    several = counted["org"].n_unique() > 1
    said = Remarks() if given.lab is None else remarks(given.lab)
    noted = (*noted, *((one.at, one.text) for one in said.notes))
    context = Context(counted, keys, given.prices, where, several, noted)
    found = _found(context, span, budget, looked.since)
    end = asked.end.astimezone(UTC) if asked.end else given.now + timedelta(days=1)
    found = [one for one in found if one.onset < end]
    return Oddities(_with_rows(found, given, by), looked, said.dismissed)


def _found(
    context: Context, span: Span, budget: float, since: datetime
) -> list[Incident]:
    """The incidents of all series, the last one first."""
    judged = judge(grids(context.cells, context.keys, span), budget)
    names = judged.series.rows()
    seen = dict(zip(names, judged.seen, strict=True))
    recent: dict[_Series, list[Episode]] = {}
    for episode in episodes(judged.looks, budget, span.last):
        if episode.open or span.at(episode.last + 1) > since:
            recent.setdefault(names[episode.series], []).append(episode)
    found = _described(recent, seen, context, span)
    found = [one for one in found if one.end is None or one.end > since]
    return sorted(found, key=lambda one: (one.found, one.series), reverse=True)


def _described(
    found: Mapping[_Series, Sequence[Episode]],
    seen: Mapping[_Series, Array],
    context: Context,
    span: Span,
) -> list[Incident]:
    names, told = list(found), []
    few = block_of(span)
    for begin in range(0, len(names), few):
        some = names[begin : begin + few]
        own = of_series(context.cells, context.keys, some)
        for grid in grids(own, context.keys, span):
            series = grid.series.rows()
            history = History(grid, np.stack([seen[name] for name in series]))
            for place, name in enumerate(series):
                # Of one series at a time all is wide, and has its names.
                cells = of_series(own, context.keys, [name]).with_columns(
                    pl.col(pl.Categorical).cast(pl.String),
                    pl.col(*SUMS).cast(pl.Float64),
                )
                mine = context._replace(cells=cells)
                told += [incident(history, place, one, mine) for one in found[name]]
    return told


def _with_rows(
    found: Sequence[Incident],
    given: Source,
    by: str | Sequence[str],
) -> list[Incident]:
    """Incidents with the rows to look at first, and the rules that changed."""
    if not found:
        return []
    log = given.between(*looked_between(found))
    told = looked_at(log, found, by)
    return [
        msgspec.structs.replace(one, first_rows=ids, changed=(*one.changed, *rules))
        for one, (ids, rules) in zip(found, told, strict=True)
    ]

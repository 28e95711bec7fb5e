"""Who asked, and in which run: the dearest sessions, each with its picture, and the
programs that asked; what the cache saved and missed. Pieces of HTML of the whole log, empty where nobody says who it is.

Everything that a client sent is escaped here.
"""

from html import escape
from typing import Any

import polars as pl

from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.cache import OF_LOST, cache_of, losses_of, lost_of
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.sessions import (
    cost_measures,
    costs_text,
    session_costs,
    sessions,
)
from lectr_lab.analysis.views.spend import spend
from lectr_lab.analysis.views.turns import turns
from lectr_lab.core.formatting import count, name, percent, usd
from lectr_lab.dashboards.run_picture import run_picture
from lectr_lab.tables import html_table

MOST_SESSIONS = 12
PICTURES = 6
MOST_REQUESTS = 300
"""Of a session with more there is no picture: a page has to stay small."""

_SPENT = ["client", "requests", "spend_usd", "share_of_spend", "unpriced", "uncounted"]
_CAUSES = ["cause", "requests", "missed_tokens", "lost_usd"]
_CACHED = ["feature", "requests", "watched", "hit_rate", "saved_usd", "lost_usd"]


def runs(log: pl.LazyFrame, of: str = "") -> str:
    """Sessions, clients and cache losses of a log, as HTML; its tables have scripts.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        of: which of a longer log they are, as `recent` says.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> runs(priced(frame([]).lazy()))
    ''
    """
    makers = {"session": _sessions, "client": _clients, "prefix_break": _cache}
    return "".join(make(log, of) for what, make in makers.items() if _says(log, what))


def _says(log: pl.LazyFrame, column: str) -> bool:
    """Any call does; where none is said in a file, its rows are not read."""
    said = log.filter(pl.col(column).is_not_null(), rows.is_call())
    return collected(said.select(column).head(1)).height > 0


def _said_of(of: str, asked: str) -> str:
    """Of what a figure is, and who tells it of all."""
    return (
        f"Of the {of}; <code>{asked}</code> reads all." if of else "Of the whole log."
    )


def _sessions(log: pl.LazyFrame, of: str) -> str:
    """The dearest, each to be opened; of the others, only what they cost is asked."""
    costs = collected(session_costs(log))
    if costs.is_empty():
        return ""
    costs_of_one = costs.select(cost_measures()).row(0, named=True)
    shown = costs.head(MOST_SESSIONS)
    dearest = collected(sessions(_of(log, shown)))
    more = costs.height - shown.height
    pictured = dearest.head(PICTURES).filter(pl.col("requests") <= MOST_REQUESTS)
    own = collected(_of(log, pictured)).lazy()
    opened = [
        _session(own, one, pictured=n < PICTURES)
        for n, one in enumerate(dearest.iter_rows(named=True))
    ]
    tail = f"… and {count(more)} more: <code>lectr.sessions(log)</code>" if more else ""
    return (
        '<section class="runs"><h3>Sessions, dearest first</h3>'
        f'<p class="soft">{escape(costs_text(costs_of_one))} '
        f"{_said_of(of, 'lectr-lab sessions')}</p>"
        f'{"".join(opened)}<p class="soft">{tail}</p></section>'
    )


def _of(log: pl.LazyFrame, some: pl.DataFrame) -> pl.LazyFrame:
    """The rows of some sessions."""
    names = some.lazy().select("org", "session")
    return log.join(names, on=["org", "session"], how="semi", nulls_equal=True)


def _session(log: pl.LazyFrame, one: dict[str, Any], *, pictured: bool) -> str:
    said = [
        usd(one["spend_usd"]),
        *(name(one[who]) for who in ("feature", "client") if one[who]),
        f"{count(one['requests'])} request{'s' * (one['requests'] != 1)}",
        f"{count(one['errors'])} failed" if one["errors"] else "",
        f"{percent(one['cache_share'])} cached" if one["cache_share"] else "",
        f"{count(one['unpriced'])} without a price" if one["unpriced"] else "",
        f"{one['started_at']:%-d %b %H:%M} UTC",
    ]
    head = f"<summary>{escape(' · '.join(filter(None, said)))}</summary>"
    fits = pictured and one["requests"] <= MOST_REQUESTS
    inside = _picture(log, one) if fits else ""
    which = f"lectr.session(log, {one['session']!r})"
    return f"<details>{head}{inside}<p><code>{escape(which)}</code></p></details>"


def _picture(own: pl.LazyFrame, one: dict[str, Any]) -> str:
    return run_picture(turns(own, one["session"], org=one["org"]).collect())


def _clients(log: pl.LazyFrame, of: str) -> str:
    """What each program's calls cost."""
    found = collected(spend(log, by="client"))
    note = f"Of the {of}; lectr-lab report --by client reads all." if of else ""
    return f"<section>{_table(_short(found, _SPENT), 'Clients', note)}</section>"


def _cache(log: pl.LazyFrame, of: str) -> str:
    """What the cache saved and missed, by cause, and what to change."""
    calls = collected(lost_of(log).select(OF_LOST)).lazy()  # once for both
    by_feature, causes = pl.collect_all(
        [cache_of(calls), losses_of(calls)], engine="streaming"
    )
    watched = by_feature.filter(pl.col("watched") > 0)
    saved, lost = (float(watched[what].sum()) for what in ("saved_usd", "lost_usd"))
    said = (
        f"The cache saved {usd(saved)}; a full hit would have saved {usd(lost)} more. "
    )
    dearest = watched.sort("lost_usd", descending=True, nulls_last=True).head(1)
    for row in dearest.filter(pl.col("lost_usd") > 0).iter_rows(named=True):
        said += f"{name(row['feature'])}: {row['advice'] or ''}"
    n, of_all = int(watched["watched"].sum()), int(by_feature["requests"].sum())
    which = f"Of the {of}; lectr.cache(log) reads all." if of else "Of the whole log."
    note = f"{count(n)} of {count(of_all)} requests were watched. {which}"
    tables = [
        _table(_short(causes, _CAUSES), "Why the cache missed", said),
        _table(_short(watched, _CACHED), "The cache", note),
    ]
    made = tables if causes.height else tables[1:]
    return "".join(f"<section>{table}</section>" for table in made)


def _table(frame: pl.DataFrame, title: str, note: str = "") -> str:
    return html_table(frame, title=title, note=note, script=True)


def _short(found: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """These columns; whose it is where there are several orgs."""
    several = found["org"].n_unique() > 1
    return found.select(["org", *columns] if several else columns)

"""A log and its views, which show themselves: the last line of a cell is a table.

They are those of `analysis`, and give lazy frames as these do. Only IPython's displays
run a query; `repr` does not, for a debugger or a log line may ask for that.
"""

import os
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import polars as pl

from lectr_lab.analysis import scan as scanning
from lectr_lab.analysis.log import Log
from lectr_lab.analysis.views import cache as caching
from lectr_lab.analysis.views import cost_of, data_gaps, health, rows
from lectr_lab.analysis.views import select as selecting
from lectr_lab.analysis.views import sessions as sessions_view
from lectr_lab.analysis.views import spend as spending
from lectr_lab.analysis.views import summary as summaries
from lectr_lab.config.settings import lab_here
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log.schema import polars_schema
from lectr_lab.notebook.own_log import has_own
from lectr_lab.resources import shipped_traffic
from lectr_lab.tables import Table
from lectr_lab.tables.exact import MOST_ROWS
from lectr_lab.waiting import waiting

_ROWS = 1_000  # of a log; in a terminal, 20
_TEXT_ROWS = 20
_ADVISED = 5
_LETTERS = 200  # polars names all sixty columns of a log where it misses one
_SHOWN = ["started_at", "org", "feature", "task", "provider", "model", "outcome"]
_SHOWN += ["total_ms", "input_tokens", "output_tokens", "cost_usd"]
_Asked = ParamSpec("_Asked")
_Log = TypeVar("_Log", Log, Log | pl.LazyFrame)


class View(pl.LazyFrame):
    """A lazy frame that is shown as its first rows; what is made of it is a view too."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        shown = self._as_table()
        return {"text/plain": repr(shown), "text/html": shown._repr_html_()}

    def _repr_html_(self) -> str:
        """For what asks for HTML alone, which else draws a lazy frame's query plan."""
        return self._as_table()._repr_html_()

    def _display_(self) -> Table:
        """What marimo asks for, which else draws a lazy frame's query plan."""
        return self._as_table()

    def _as_table(self) -> Table:
        try:
            with waiting("Reading the log"):
                return _shown_as(self)
        except (pl.exceptions.PolarsError, OSError, LabError) as error:
            reason = name(str(error).partition("\n")[0], _LETTERS)
            return Table(pl.DataFrame(), note=f"This cannot be read: {reason}.")


def _shown_as(frame: pl.LazyFrame) -> Table:
    names = frame.collect_schema().names()
    if {*polars_schema(), "cost_usd"} <= set(names):
        return _events(frame)
    if {*sessions_view.COLUMNS[1:]} <= set(names):
        return _sessions(frame)
    if {"watched", "lost_usd", "advice"} <= set(names):
        return _cache(frame)
    return _first_rows(frame)


def _first_rows(frame: pl.LazyFrame) -> Table:
    if "requests" in frame.collect_schema().names():  # groups, however many
        return Table(frame.collect())
    n, first = pl.collect_all([frame.select(pl.len()), frame.head(MOST_ROWS)])
    return Table(first, rows=n.item())


def _sessions(found: pl.LazyFrame) -> Table:
    """The dearest sessions, and what one costs."""
    costs, first = pl.collect_all(
        [found.select(sessions_view.cost_measures()), found.head(MOST_ROWS)]
    )
    text = sessions_view.costs_text(costs.row(0, named=True))
    short = sessions_view.in_short(first)
    return Table(short, "Sessions", text, rows=costs["sessions"].item())


def _cache(found: pl.LazyFrame) -> Table:
    """What the cache saved and missed, and below it what to change."""
    all_of_it = found.collect()
    watched = all_of_it.filter(pl.col("watched") > 0)
    empty = [
        name for name in watched.columns if watched[name].null_count() == len(watched)
    ]
    several = "org" in watched.columns and watched["org"].n_unique() > 1
    whose = [] if several else ["org"]
    keys = watched.columns[: watched.columns.index("requests")]
    told = [
        ": ".join([*(name(row[k]) for k in keys if k not in whose), row["advice"]])
        for row in watched.head(_ADVISED).iter_rows(named=True)
        if row["advice"]
    ]
    n, of_all = int(watched["watched"].sum()), int(all_of_it["requests"].sum())
    told.append(
        f"{n:,} of {of_all:,} requests were watched; nothing is known of others."
    )
    shown = watched.drop({*empty, *whose, "advice"}, strict=False)
    return Table(shown, "What the cache saved, and what it missed", "\n".join(told))


def _events(log: pl.LazyFrame) -> Table:
    """What a log holds, in words, and its last requests."""
    events = log.with_columns(rows.model()).select(_SHOWN)
    last = events.top_k(_ROWS, by="started_at").collect(engine="streaming")
    last = last.sort("started_at", descending=True)
    total = summaries.sums(log).collect(engine="streaming").row(0, named=True)
    text = summaries.totals_text(total)
    title = "The last requests" if last.height else ""
    return Table(last, title, text, text_rows=_TEXT_ROWS)


def _shown(view: Callable[_Asked, pl.LazyFrame]) -> Callable[_Asked, View]:
    @wraps(view)
    def shown(*args: _Asked.args, **kwargs: _Asked.kwargs) -> View:
        frame = view(*args, **kwargs)
        frame.__class__ = View
        return cast(View, frame)

    return shown


def _shown_log(door: Callable[_Asked, _Log]) -> Callable[_Asked, _Log]:
    """A log shows itself as its rows do."""

    @wraps(door)
    def shown(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Log:
        log = door(*args, **kwargs)
        log.lazy().__class__ = View
        return log

    return shown


@_shown_log
def scan(
    lab: Path | str | None = None,
    prices: PriceList | Path | str | None = None,
    *,
    day: date | None = None,
) -> Log:
    """The events of a lab folder, the last seconds included, each with its cost.

    Args:
        lab: the lab folder that a proxy writes to. Without it, the one that lectr.toml
            or `LECTR_LAB` names, else `./lab`; and four weeks of made-up traffic where
            that has no request yet. A line says which it is.
        prices: your own prices, or the file that has them; without it, `prices.toml`
            in the lab folder, where there is one.
        day: of a lab folder, the files of this day alone (UTC).

    Returns:
        A log, which shows itself as a table: for views, or to use as a polars LazyFrame.
        `log.select(org=…, feature=…, since=…)` is a part of it. One row per event: the
        event's columns, `cost_usd` (what is billed; null where it is not known),
        `price_source`, and `plan_usd`, the list price of what a plan covered, which
        bills none of it. Streams that reported no tokens have estimates where the
        model's other rows teach them (`token_source` is "ratio").

    Raises:
        LogError: there is no such lab folder.
        ConfigError: lectr.toml or the price file cannot be followed.

    >>> import lectr_lab as lectr
    >>> from lectr_lab.resources import shipped_traffic
    >>> log = lectr.scan(shipped_traffic())  # yours: the folder that a proxy writes to
    >>> lectr.table(lectr.spend(log).select("feature", "spend_usd", "requests").head(2))
    feature         spend  requests
    report-writer  $25.73       565
    coding-agent   $14.56       714
    """
    return scanning.scan(_own_or_made_up() if lab is None else lab, prices, day=day)


def _own_or_made_up() -> Path:
    """The log with a request of one's own, else the made-up one; prints which it is."""
    own = lab_here(os.environ).resolve()
    if has_own(own):
        print(f"Your own log: {own}")
        return own
    print(f"Made-up traffic, four weeks of it: {own} has no request of your own yet.")
    return shipped_traffic()


cache = _shown(caching.cache)
cache_losses = _shown(caching.cache_losses)
cache_savings = _shown(cost_of.cache_savings)
cost_of_failures = _shown(cost_of.cost_of_failures)
cost_of_retries = _shown(cost_of.cost_of_retries)
dearest = _shown(spending.dearest)
demo_log = _shown_log(scanning.demo_log)
errors = _shown(health.errors)
latency = _shown(health.latency)
select = _shown_log(selecting.select)
sessions = _shown(sessions_view.sessions)
spend = _shown(spending.spend)
spend_over_time = _shown(spending.spend_over_time)
summary = _shown(summaries.summary)
tokens = _shown(spending.tokens)
totals = _shown(summaries.totals)
unpriced_models = _shown(data_gaps.unpriced_models)

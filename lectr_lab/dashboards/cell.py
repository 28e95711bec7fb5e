"""The door for cells: a log's dashboard, as it was or as it goes on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import polars as pl

from lectr_lab.analysis.forecast import budgets_beside
from lectr_lab.analysis.given_log import opened
from lectr_lab.analysis.log import Log
from lectr_lab.analysis.odd.result import Oddities
from lectr_lab.analysis.recommend import recommend
from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.scan import own_prices, scan
from lectr_lab.budgets.frame import beside_page
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.dashboards.marks import Note
from lectr_lab.dashboards.odd import noted, strip
from lectr_lab.dashboards.page import framed, page
from lectr_lab.dashboards.rows_behind import rows_of
from lectr_lab.dashboards.selected import in_words, message_of
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.losses import losses
from lectr_lab.waiting import waiting

# A cell that runs again ends the live dashboard that it started before. One per folder.
_FOLLOWED: dict[str, Any] = {}


class Dashboard:
    """A log's charts on one page: shows itself in a cell, and can be written."""

    def __init__(self, log: Any, **options: Any) -> None:
        self._log, self._options = log, options
        self._message: dict[str, Any] = {}
        self.html: str = page(log, **options)

    @property
    def selection(self) -> dict[str, Any]:
        """What `select` was given last, in its words. A page that stays as it is tells
        Python nothing of clicks; a live one does."""
        return in_words(self._message, self._options.get("by", "feature"))

    def select(self, **words: Any) -> Self:
        """Select on the page, as of `LiveDashboard.select`, and draw it anew.

        Raises:
            LabError: a name that the log does not have, or no time.

        >>> import lectr_lab as lectr
        >>> dash = lectr.dashboard(lectr.demo_log()).select(feature="support-chat")
        >>> dash.selection, dash.rows().select("org").collect().height
        ({'feature': ['support-chat']}, 3722)
        """
        options = {n: self._options[n] for n in ("by", "tz") if n in self._options}
        self._message = message_of(self._log.lazy(), words, **options)
        beside = {**(self._options.get("beside") or {}), "selected": self._message}
        self.html = page(self._log, **self._options | {"beside": beside})
        return self

    def rows(self) -> pl.LazyFrame:
        """The requests that are selected, with all their columns."""
        by = self._options.get("by", "feature")
        return rows_of(self._log.lazy(), self._message, by)

    def write(self, path: str | Path) -> Path:
        """Write the page: one file that opens with the network cut."""
        file = Path(path)
        file.write_text(self.html, "utf-8")
        return file

    def _repr_html_(self) -> str:
        return framed(self.html)

    def __repr__(self) -> str:
        return '<dashboard, for a notebook; .write("report.html") makes a page of it>'


@waiting("Drawing the dashboard")
def dashboard(
    log: Any,
    *,
    live: bool = False,
    title: str | None = None,
    tz: str | None = None,
    by: str | None = None,
    prices: PriceList | Path | str | None = None,
    notes: Sequence[str | Note] | None = None,
    recommended: Recommendations | None = None,
    dropped: int | None = None,
    unread: Unread | None = None,
    odd: Oddities | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Any:
    """A log's charts, arranged, which filter each other: spend, latency, errors, …

    Args:
        log: events with `cost_usd`, as `scan` gives them; or a proxy, or a lab folder.
        live: follow a proxy or a lab folder: what passes is there within two seconds,
            until `.stop()`, or until a later live dashboard of the same folder.
        title: the heading.
        tz: the time zone in which days begin; UTC unless given.
        by: a column in the place of the features, such as "client" or "session".
        prices: of a proxy or a folder, your own, as for `scan`.
        notes: what a reader should know of the data, a sentence each; and what happened
            when, as `(datetime(2026, 11, 2, 9), "deploy")`: a line on the time chart.
        recommended: what could be cheaper; without it, what `recommend` says.
        dropped: events that could not be written; of a frame, which does not know.
        unread: batches of the journal that could not be read; likewise.
        odd: what is odd, as `odd` found it; a live page looks itself, at most each
            minute.
        beside: what else a page shows, such as `budgets`, ready for JSON.

    Returns:
        Something to end a cell with, or to `write` to a file. Of a live one an exported
        notebook holds the page as it was. `.selection` says what is selected on it,
        `.rows()` are the requests behind that, and `.select(feature=…)` selects.

    Raises:
        LabError: there is no such folder, or a frame cannot be followed.

    >>> import lectr_lab as lectr
    >>> "<title>Ours</title>" in lectr.dashboard(lectr.demo_log(), title="Ours").html
    True
    """
    said: dict[str, Any] = {
        "title": title,
        "tz": tz,
        "by": by,
        "prices": prices,
        "notes": notes,
    }
    said |= {"recommended": recommended, "dropped": dropped, "unread": unread}
    said["beside"] = beside if odd is None else {"odd": strip(odd), **(beside or {})}
    options = {n: v for n, v in said.items() if v is not None}
    folder = None if isinstance(log, Log) else getattr(log, "lab", log)
    if not isinstance(folder, str | Path):
        if live:
            raise LabError(
                "A frame does not change. Follow a proxy, `dashboard(proxy, live=True)`, "
                "or a lab folder by its path."
            )
        return Dashboard(opened(log), budgets=budgets_beside(log), **options)
    if deploys := noted(Path(folder)):
        options["notes"] = [*options.get("notes", ()), *deploys]
    if live:
        return _live(Path(folder).resolve(), **options)
    options = losses(LabFolder(Path(folder)))._asdict() | options
    prices = own_prices(Path(folder), options.pop("prices", None))
    options["beside"] = beside_page(folder) | dict(options.get("beside") or {})
    options["budgets"] = budgets_beside(folder)
    priced = scan(folder, prices)
    options.setdefault("recommended", recommend(priced, prices=prices))
    return Dashboard(priced, prices=prices, **options)


def _live(folder: Path, **options: Any) -> Any:
    """The dashboard that follows a folder; an earlier one of the same folder stops."""
    from lectr_lab.dashboards.live import LiveDashboard

    if before := _FOLLOWED.pop(str(folder), None):
        before.stop()
    shown = _FOLLOWED[str(folder)] = LiveDashboard(folder, **options)
    return shown

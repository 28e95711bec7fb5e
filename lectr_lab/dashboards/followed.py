"""What a dashboard that goes on shows: its charts, its advice, the requests behind them.

A widget and a server show the same; they differ in how they tell a browser.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.forecast import budgets_beside
from lectr_lab.analysis.given_log import narrowed
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.recommend import recommend
from lectr_lab.analysis.scan import own_prices, scan
from lectr_lab.analysis.views import cube
from lectr_lab.analysis.views.selection import ALL, Period, Selection
from lectr_lab.budgets.frame import beside_page
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.errors import LabError
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.dashboards import sections
from lectr_lab.dashboards.counted import Counted, count_log
from lectr_lab.dashboards.following import Follower
from lectr_lab.dashboards.foretold import foretold
from lectr_lab.dashboards.marks import Note, marks
from lectr_lab.dashboards.odd import odd_in
from lectr_lab.dashboards.payload import NOTHING, TITLE, Head, payload
from lectr_lab.dashboards.recent import Recent, recent
from lectr_lab.dashboards.rows_behind import carried, reply, when_of
from lectr_lab.dashboards.runs import runs
from lectr_lab.log.losses import Losses
from lectr_lab.tables import without_scripts

_ADVICE_EVERY_S = 30.0  # at most: recommendations read the whole log
_ADVICE_REST = 30.0
_ODD_EVERY_S = 60.0  # at most, and after so many times as long as it took
_ODD_REST = 30.0
_MOVED = "The log changed while it was read. Select again."

Found = tuple[Counted, Losses] | None


class Source(NamedTuple):
    """Where the figures come from, as it is whenever it is asked."""

    read: Callable[[], Found]  # None where nothing has changed
    log: Callable[[], AnyLog]
    prices: Callable[[], PriceList]
    beside: Callable[[], Mapping[str, Any]] = dict  # as `payload` has it
    budgets: Callable[[], Sequence[BudgetSettings]] = tuple  # of the whole log


def folder_source(
    folder: Path,
    prices: Any = None,
    tz: str = "UTC",
    by: str = "feature",
    since: datetime | None = None,
) -> Source:
    """A lab folder that is being written to, from a moment on.

    Raises:
        LabError: there is no such folder.
    """

    def log() -> AnyLog:
        return scan(folder, prices).narrowed(Selection(when=Period(since)))

    follower = Follower(folder, prices, tz, by, since)
    return Source(
        follower.read,
        log,
        prices=lambda: own_prices(folder, prices),
        beside=lambda: beside_page(folder),
        budgets=lambda: () if since else budgets_beside(folder),
    )


def still_source(
    log: AnyLog,
    tz: str = "UTC",
    by: str = "feature",
    prices: PriceList = (),
) -> Source:
    """A log that stays as it is: read once."""
    left = [log]

    def read() -> Found:
        if not left:
            return None
        return count_log(left.pop(), tz, by)._replace(log=None), Losses()

    return Source(read, lambda: log, lambda: prices)


class Followed:
    """What is shown of a source, as of the last `update`."""

    def __init__(
        self,
        source: Source,
        *,
        title: str = TITLE,
        tz: str = "UTC",
        by: str = "feature",
        notes: Sequence[Note] = (),
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        self.title, self.tz, self.by = title, tz, by
        self._source, self._when, self._beside = source, notes, dict(beside or {})
        self._found: Found = None
        self._foretold: Mapping[str, Any] = {}
        self._advise_at_s: float = 0.0
        self._odd_at_s: float = 0.0
        self._unadvised = True  # the log has news that no recommendation knows of

    def update(self) -> bool:
        """Look once, now; say whether there was anything new.

        Raises:
            LabError: the source cannot be read.
            polars.exceptions.PolarsError: a file changed while it was read.
        """
        found = self._source.read()
        if found is None:
            return False
        self._found, self._unadvised = found, True
        return True

    def drawn(self, live: str, more: Mapping[str, Any] = NOTHING) -> str:
        """The JSON of the charts; empty before the first update.

        `live` is what the page says of how new it is; `more` goes into the JSON.
        """
        if self._found is None:
            return ""
        counted, lost = self._found
        prices = self._source.prices()
        happened = marks(None, counted, self._when, tz=self.tz, prices=prices)
        head = Head(self.title, self.tz, lost, live, self.by)
        told = {"marks": happened} | dict(self._source.beside())
        told |= {**self._foretold, **self._beside}
        return payload(counted, head, told | dict(more))

    def log(self) -> pl.LazyFrame:
        """The events behind it, as they are now."""
        return self._source.log().lazy()

    def _recent(self, selection: Selection = ALL) -> Recent:
        """The rows that are looked at one by one."""
        many = self._found is not None and self._found[0].many
        return recent(narrowed(self._source.log(), selection), many=many)

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The requests that a page asks for; `error` says why there are none.

        Of a long log, requests of the newest days of the time that is selected.
        """
        try:
            some = self._recent(Selection(when=when_of(message)))
            return reply(some.rows, message, self.by) | {"newest": some.said}
        except (LabError, OSError, pl.exceptions.PolarsError):
            return {"answer": "rows", "of": message.get("of"), "error": _MOVED}

    def carried(self) -> dict[str, Any]:
        """The requests that travel with a page that can ask nobody; it reads the whole
        log. Empty before the first update."""
        if self._found is None:
            return {}
        leaders, some = self._found[0].leaders, self._recent()
        return carried(cube.named(some.rows, self.by), leaders, some.said)

    def look_for_odd(self, folder: Path) -> bool:
        """Look at a lab folder for what is odd, at most each minute; say whether that
        is another than before. Closed days are counted once.

        Raises:
            LabError: as of `update`; polars' errors likewise.
        """
        began_s = time.monotonic()
        if self.by != "feature" or began_s < self._odd_at_s:
            return False
        self._odd_at_s = began_s + _ODD_EVERY_S  # where it fails, too
        found = odd_in(folder, self._source.prices(), self.tz)
        took_s = time.monotonic() - began_s
        self._odd_at_s += max(0.0, _ODD_REST * took_s - _ODD_EVERY_S)
        changed: bool = found != self._beside.get("odd", [])
        self._beside["odd"] = found
        return changed

    def advice(self) -> str | None:
        """What could be cheaper, as escaped HTML; None where there is nothing new, or
        it was looked at a moment ago. It reads the whole log. What is drawn from then on
        has the month's bill as well.

        Raises:
            LabError: as of `update`; polars' errors likewise.
        """
        began_s = time.monotonic()
        if not self._unadvised or began_s < self._advise_at_s:
            return None
        log = self._source.log()
        found = recommend(log, prices=self._source.prices())
        some = self._recent()
        body = sections.recommendations(found) + runs(some.rows, some.said)
        said = without_scripts(body)
        self._foretold = foretold(log, self.tz, self._source.budgets())
        self._unadvised = False
        took_s = time.monotonic() - began_s
        wait_s = max(_ADVICE_EVERY_S, _ADVICE_REST * took_s)
        self._advise_at_s = began_s + took_s + wait_s
        return said

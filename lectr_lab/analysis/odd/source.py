"""Where the cells come from: a frame of events, or a lab folder with what was kept."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis import scan as scanning
from lectr_lab.analysis.odd import kept
from lectr_lab.analysis.odd.by_day import cells_by_day, durations_by_day
from lectr_lab.analysis.odd.cells import slow_limits
from lectr_lab.config.settings import lab_here
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.log import scan as log_scan
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.serving import serving
from lectr_lab.log.verify import is_bare
from lectr_lab.resources import shipped_traffic

_DAY = timedelta(days=1)
_FEW_DAYS = 7
_MICROSECOND = timedelta(microseconds=1)


class Source(NamedTuple):
    """Events, where their record ends, and how they are counted."""

    log: pl.LazyFrame
    now: datetime
    prices: PriceList
    by: str | Sequence[str]
    org: str | None
    lab: LabFolder | None  # whose closed days are kept

    def cells(self, begin: datetime | None) -> pl.DataFrame:
        """The cells from a moment on, or all, up to `now`."""
        if self.lab is None:
            found = counted(self.log, self.by, begin, self.now)
        else:
            found = kept.lab_cells(self.lab, self.by, begin, self.now, self.prices)
        if self.org is not None:
            found = found.filter(pl.col("org") == self.org)
        return found

    def between(self, first: datetime, last: datetime) -> pl.LazyFrame:
        """The events of some days, and maybe others: of a lab, few days are read by
        themselves, for that is faster than to look for them among all."""
        begin = first.astimezone(UTC).date()
        days = (last.astimezone(UTC).date() - begin).days + 2  # written a day later
        if self.lab is None or days > _FEW_DAYS:
            return self.log
        some = (begin + _DAY * i for i in range(days))
        scans = (scanning.scan(self.lab.root, self.prices, day=day) for day in some)
        found = pl.concat(log.lazy() for log in scans)
        return found if self.org is None else found.filter(pl.col("org") == self.org)


def source(
    log: pl.LazyFrame | Path | str | None,
    *,
    by: str | Sequence[str],
    org: str | None,
    now: datetime | None,
    prices: PriceList | Path | str | None,
) -> Source:
    """What `odd` was given.

    Raises:
        LogError: there is no such lab folder.
        ConfigError: the price file cannot be followed.
    """
    if isinstance(log, pl.LazyFrame):
        own = scanning.own_prices(Path(), ()) if prices is None else _prices(prices)
        events = log if org is None else log.filter(pl.col("org") == org)
        return Source(events, now or _last(events), own, by, org, None)
    folder = _own_or_made_up() if log is None else Path(log)
    own = scanning.own_prices(folder, prices)
    events = scanning.scan(folder, own).lazy()
    if org is not None:
        events = events.filter(pl.col("org") == org)
    lab = LabFolder.existing(folder)
    if now is None:
        now = datetime.now(UTC) if serving(lab) else _last(events)
    return Source(events, now, own, by, org, None if is_bare(lab) else lab)


def _prices(prices: PriceList | Path | str) -> PriceList:
    return scanning.own_prices(Path(), prices)


def _own_or_made_up() -> Path:
    """The own log once it has a request, else the made-up one."""
    own = lab_here(os.environ).resolve()
    if own.is_dir() and log_scan.scan(own).head(1).collect().height:
        return own
    return shipped_traffic()


def _last(log: pl.LazyFrame) -> datetime:
    """Just after the last request; the present where there is none."""
    last = log.select(pl.col("started_at").max()).collect(engine="streaming").item()
    return datetime.now(UTC) if last is None else last + _MICROSECOND


def counted(
    log: pl.LazyFrame,
    by: str | Sequence[str],
    begin: datetime | None,
    now: datetime,
) -> pl.DataFrame:
    """The cells of a frame of events, from a midnight of UTC on."""
    at = pl.col("started_at")
    upto = log.filter(at < now)
    if begin is not None:
        first = datetime.combine(begin.astimezone(UTC).date(), datetime.min.time(), UTC)
        upto = upto.filter(at >= first)
    took = durations_by_day(upto, by)
    limits = slow_limits(took, days_of(took), by)
    del took  # of a year, as large as the cells of two months
    return cells_by_day(upto, limits, by)


def days_of(took: pl.DataFrame) -> list[date]:
    """The days that limits are wanted for, and the one after the last of them."""
    if took.is_empty():
        return []
    first, last = took["day"].min(), took["day"].max()
    assert isinstance(first, date) and isinstance(last, date)
    return [first + _DAY * i for i in range((last - first).days + 2)]

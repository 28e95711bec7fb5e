"""A lab that is being written to, counted again and again at little cost.

The count of a day is kept as long as its files are the same, so that an update reads
only the days that changed: as a rule today, and none when nothing has happened. Of a log
of more rows than are counted exactly, the days before today are one, counted by what is
kept of them (`analysis/cells/`).
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.log import Log
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views import cube
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.cube import Leaders
from lectr_lab.analysis.views.percentiles import MOST_EXACT_ROWS
from lectr_lab.analysis.views.selection import Period, Selection
from lectr_lab.dashboards.counted import (
    NO_TIMES,
    Counted,
    FirstLook,
    Parts,
    added,
    count_cells,
    counted_parts,
    first_look,
    fitted,
    leaders,
    together,
)
from lectr_lab.dashboards.steps import counted_step
from lectr_lab.log.folder import LabFolder, segment_date
from lectr_lab.log.losses import Losses, losses, noted_losses

_NO_DAY = date.min  # a lab without a day yet has an empty one
_BEFORE = date.min + timedelta(days=1)  # all days before today


class _Day(NamedTuple):
    """One day, counted: small frames, whatever the number of its rows."""

    files: Any  # what it was counted from
    look: FirstLook
    cells: tuple[Leaders, str]  # for whom, and by which step
    cube: tuple[pl.DataFrame, pl.DataFrame]
    timed: pl.DataFrame  # durations: `f`, `total_ms`


class Follower:
    """Counts a lab folder whenever it is asked, and remembers the days that are over.

    Estimated token counts learn from their own day alone, where `scan` of a whole log
    learns from all days: the two may differ a little.

    `since`, in UTC, is the first moment that is counted; None: all are.
    """

    def __init__(
        self,
        folder: Path,
        prices: Any = None,
        tz: str = "UTC",
        by: str = "feature",
        since: datetime | None = None,
    ) -> None:
        self._by = by
        self._since = since
        self._lab = LabFolder.existing(folder)
        self._prices = prices
        self._tz = tz
        self._days: dict[date, _Day] = {}
        self._cells: tuple[Leaders, str] = (Leaders((), ()), "1m")
        self._noted: Losses | None = None
        self._too_many = False  # to keep each duration

    def read(self) -> tuple[Counted, Losses] | None:
        """The log as it is now and what it lacks; None where neither changed.

        Raises:
            LabError: the folder is gone, or changes faster than it can be read.
            polars.exceptions.PolarsError: a file was merged away while it was read;
                ask again.
        """
        if not self._days:
            self._too_many = self._log().n_rows() > MOST_EXACT_ROWS
        files = self._files()
        changed = {
            day
            for day in self._days.keys() | files.keys()
            if day not in files
            or day not in self._days
            or self._days[day].files != files[day]
        }
        noted = noted_losses(self._lab)
        if not changed and noted == self._noted:
            return None
        if not self._days:
            self._cells = self._likely_cells()
        for day in changed - files.keys():
            del self._days[day]
        for day in sorted(changed & files.keys()):
            self._days[day] = self._count(day, files[day])
        counted = self._added()
        self._noted = noted
        return counted, losses(self._lab)

    def _files(self) -> dict[date, Any]:
        """What each day's files are, without opening one."""
        found: dict[date, Any] = {
            day: (self._lab.day(day).stat().st_mtime_ns,) for day in self._lab.days()
        }
        for segment in self._lab.segments():
            day, stat = segment_date(segment), _stat(segment)
            if day is not None and stat is not None:
                found[day] = (*found.get(day, ()), segment.name, stat)
        if self._since is not None:
            found = {day: f for day, f in found.items() if day >= self._since.date()}
        if self._too_many:
            today = datetime.now(UTC).date()
            before = {day: f for day, f in found.items() if day < today}
            found = {day: f for day, f in found.items() if day >= today}
            if before:
                found[_BEFORE] = (today, *sorted(before.items()))
        return found or {_NO_DAY: ()}

    def _log(self, end: datetime | None = None) -> Log:
        log = scan(self._lab.root, self._prices)
        return log.narrowed(Selection(when=Period(self._since, end)))

    def _read(self, day: date | None = None) -> pl.LazyFrame:
        log = scan(self._lab.root, self._prices, day=day).lazy()
        if self._since is not None:
            log = log.filter(pl.col("started_at") >= self._since)
        return cube.needed(log, self._by)

    def _likely_cells(self) -> tuple[Leaders, str]:
        """Who leads, from one look at the whole log: so each day is counted once."""
        if self._too_many:  # who leads before today
            first, last = self._log().ends()
            return Leaders((), ()), counted_step(first, last, many=True)
        look = first_look(self._read())
        return leaders(look.ranked), counted_step(look.first_at, look.last_at)

    def _count(self, day: date, files: Any) -> _Day:
        """Read one day, or all before today."""
        lead, every = self._cells
        exact = not self._too_many
        if day == _BEFORE:
            before = self._log(datetime.combine(files[0], time(), UTC))
            told = lead if lead.features else None
            found = None
            if self._by == "feature":
                found = count_cells(before, every, self._tz, told)
            if found is not None:
                self._cells = found.leaders, every
                cubes = found.sums, found.bins
                return _Day(files, found.look, self._cells, cubes, NO_TIMES)
            log = cube.needed(before.lazy(), self._by)
            lead = told or leaders(collected(cube.ranking(log)))
            self._cells = lead, every
        else:
            log = self._read(day)
        parts = counted_parts(log, Parts(lead, every, self._tz, exact=exact))
        return _Day(files, parts.look(), self._cells, parts.added(), parts.timed())

    def _added(self) -> Counted:
        """All days together. Where other features lead now, days are counted again."""
        days = self._days
        look = together([day.look for day in days.values()])
        span = look.first_at, look.last_at
        lead, every = leaders(look.ranked), counted_step(*span, many=self._too_many)
        self._cells = lead, every
        for day, found in days.items():
            if found.cells != self._cells:
                days[day] = self._count(day, found.files)
        sums, bins = zip(*(d.cube for d in days.values()), strict=True)
        both = added(sums, cube.KEYS), added(bins, (*cube.KEYS, "bin"))
        exact, many = self._exact(), self._too_many
        counted = Counted(look.ranked, lead, *both, *span, every, exact, many)
        return fitted(counted, self._tz)

    def _exact(self) -> pl.DataFrame | None:
        """Exact percentiles, as of a whole log; None where there are too many rows."""
        if sum(day.look.n for day in self._days.values()) > MOST_EXACT_ROWS:
            for key, day in self._days.items():
                self._days[key] = day._replace(timed=day.timed.clear())
            self._too_many = True
        if self._too_many:
            return None
        durations = pl.concat([day.timed for day in self._days.values()])
        return cube.exact_latency(durations.lazy()).collect()


def _stat(segment: Path) -> tuple[int, int] | None:
    try:
        stat = segment.stat()
    except FileNotFoundError:
        return None  # sealed a moment ago
    return stat.st_size, stat.st_ino

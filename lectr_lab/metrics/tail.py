"""The log counted as it grows: what is new is counted once, whoever wrote it.

The sums are those of the rows at every look: under several proxies, a `kill -9`, sealing
and compaction. A segment that was sealed is its part from then on, and parts that were
merged are the merged one; where the rows are as many, nothing is counted anew. Nothing
is ever taken back, for a counter only grows: rows of a day that is deleted stay counted
as long as this process lives.
"""

import contextlib
import pickle
import time
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder, segment_date
from lectr_lab.log.parts import current_schema, part_rows
from lectr_lab.log.schema import frame
from lectr_lab.log.segment import read_on
from lectr_lab.log.verify import bad_parts, parts_of
from lectr_lab.metrics.counts import Counts, Key, count, needed
from lectr_lab.metrics.labels import LABELS, MOST_ERROR_TYPES, MOST_SETS, Names

_ATTEMPTS = 20
_SETTLED_NS = 2_000_000_000  # a folder may change within one tick of its clock
_OPEN_DAYS = 3  # whose counts are at hand: those of older ones are packed

Priced = Callable[[pl.LazyFrame], pl.LazyFrame]


class _Unit(NamedTuple):
    """A segment or a part: how many rows, and what was counted of them."""

    rows: int
    counts: Counts | bytes
    at: int = 0  # of a segment: where the next look begins
    is_gone: bool = False  # and its rows with it: they stay counted


class _Day(NamedTuple):
    stamp: tuple[int, int]
    units: dict[str, _Unit]  # by the name that a segment shares with its part


_Found = dict[date, _Day]


class Tail:
    """Counts a lab whenever it is asked.

    Args:
        lab: the lab folder; nothing of it is written but derived notes.
        priced: adds `cost_usd` to rows; None: money is not counted.
        since: the first day that is counted (UTC); None: all are.
    """

    def __init__(
        self, lab: LabFolder, priced: Priced | None = None, since: date | None = None
    ) -> None:
        self._lab, self._priced, self._since = lab, priced, since or date.min
        self._days: _Found = {}
        self._sets = Names(MOST_SETS, len(LABELS))
        self._error_types = Names(MOST_ERROR_TYPES, 1)
        self.total: Counts = Counter()
        self.first_day: date | None = None
        self.left_out: set[str] = set()  # parts that cannot be read

    def look(self) -> None:
        """Count what is new.

        Raises:
            LogError: there is no such folder, or it changes faster than it can be read.
        """
        LabFolder.existing(self._lab.root)
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(FileNotFoundError):
                self._look()
                return
        raise LogError(f"{self._lab.root} is changing faster than it can be read.")

    def _look(self) -> None:
        """One look, whole or not at all.

        Segments first, then the parts are listed: what is sealed in between is in both,
        and its part counts.
        """
        live = self._live()
        days = {day for day in self._lab.days() if day >= self._since}
        found: _Found = {}
        delta: Counts = Counter()
        for day in sorted({*days, *live}, reverse=True):  # what is new has names first
            before = self._days.get(day, _Day((0, 0), {}))
            found[day] = self._day(day, before, live.get(day, {}), delta)
        for day, segments in live.items():
            for name in segments.keys() - self._parts(day):
                segments[name].stat()  # it has no part, so it is there still
        self._days |= {day: self._packed(day, one) for day, one in found.items()}
        self.total.update(delta)
        if self._days:
            self.first_day = min(self._days)

    def _live(self) -> dict[date, dict[str, Path]]:
        found: dict[date, dict[str, Path]] = {}
        for path in self._lab.segments():
            day = segment_date(path)
            if day is not None and day >= self._since:
                found.setdefault(day, {})[path.name.split(".")[1]] = path
        return found

    def _parts(self, day: date) -> set[str]:
        return {part.stem for part in parts_of(self._lab, day)}

    def _day(
        self, day: date, before: _Day, live: dict[str, Path], delta: Counts
    ) -> _Day:
        """A day as it is now; what is more of it than there was is added to `delta`."""
        stamp, listed = self._listed(day, before, live)
        if listed is None and not live:
            return before
        parts = {} if listed is None else {part.stem: part for part in listed}
        units = before.units
        now = {n: u for n, u in units.items() if u.is_gone or listed is None}
        now = {n: u for n, u in now.items() if n not in live and n not in parts}
        fresh = []
        for name, part in parts.items():
            known = before.units.get(name)
            if known is not None and not known.at:
                now[name] = known._replace(is_gone=False)
            else:
                fresh.append(part)
        bad = bad_parts(self._lab, fresh, current_schema()) if fresh else {}
        self.left_out |= {part.name for part in bad}
        well = [part for part in fresh if part not in bad]
        covered = {part.stem for part in well} | now.keys()
        for name, path in live.items():
            if name not in covered:
                now[name] = self._segment(path, before.units.get(name), delta)
        gone = {n: u for n, u in before.units.items() if n not in now}
        return _Day(stamp, now | self._moved(well, gone, delta))

    def _listed(
        self, day: date, before: _Day, live: dict[str, Path]
    ) -> tuple[tuple[int, int], list[Path] | None]:
        """A day's parts; None where they are those of the last look."""
        try:
            stat = self._lab.day(day).stat()
        except FileNotFoundError:
            return (0, 0), []
        stamp = stat.st_ino, stat.st_mtime_ns
        gone = any(u.at and name not in live for name, u in before.units.items())
        settled = time.time_ns() - stat.st_mtime_ns > _SETTLED_NS
        if stamp == before.stamp and settled and not gone:
            return stamp, None
        return stamp, parts_of(self._lab, day)

    def _segment(self, path: Path, before: _Unit | None, delta: Counts) -> _Unit:
        """What a segment has more than at the last look."""
        known = before or _Unit(0, Counter())
        if path.stat().st_size < known.at:  # a write was taken back
            delta.subtract(_unpacked(known.counts))
            known = _Unit(0, Counter())
        events, at = read_on(path, known.at)
        counts = self._counted(frame(events).lazy()) if events else Counter()
        delta.update(counts)
        counts.update(_unpacked(known.counts))
        # One that is empty is looked at from its beginning, and is a segment.
        return _Unit(known.rows + len(events), counts, at or -1)

    def _moved(
        self, parts: list[Path], gone: dict[str, _Unit], delta: Counts
    ) -> dict[str, _Unit]:
        """Parts that are new, in the place of what is gone."""
        rows = {part: _height(part) for part in parts}
        new, lost = sum(rows.values()), sum(unit.rows for unit in gone.values())
        before: Counts = Counter()
        for unit in gone.values():
            before.update(_unpacked(unit.counts))
        if new > lost:
            found = {
                part.stem: _Unit(rows[part], self._counted(_read(part)))
                for part in parts
            }
            for unit in found.values():
                delta.update(_unpacked(unit.counts))
            delta.subtract(before)
            return found
        if not parts:
            return {n: u._replace(at=0, is_gone=True) for n, u in gone.items()}
        first, *others = parts  # the same rows in other files: the first has the sums
        moved = {part.stem: _Unit(rows[part], Counter()) for part in others}
        return moved | {first.stem: _Unit(rows[first], before)}

    def _counted(self, rows: pl.LazyFrame) -> Counts:
        log = self._priced(rows) if self._priced else rows
        return count(needed(log).collect(), self._sets, self._error_types)

    def _packed(self, day: date, one: _Day) -> _Day:
        """What is old seldom changes: a tenth of the memory will do."""
        if day >= datetime.now(UTC).date() - timedelta(days=_OPEN_DAYS):
            return one
        units = {
            name: unit._replace(counts=_packed(unit.counts))
            for name, unit in one.units.items()
        }
        return one._replace(units=units)


def _packed(counts: Counts | bytes) -> bytes:
    if isinstance(counts, bytes):
        return counts
    return zlib.compress(pickle.dumps([(*key, n) for key, n in counts.items()]), 1)


def _unpacked(counts: Counts | bytes) -> Counts:
    if not isinstance(counts, bytes):
        return counts
    return Counter({Key(*key): n for *key, n in pickle.loads(zlib.decompress(counts))})


def _read(part: Path) -> pl.LazyFrame:
    return part_rows(part, current_schema())


def _height(part: Path) -> int:
    rows = pl.scan_parquet(part, hive_partitioning=False)
    return int(rows.select(pl.len()).collect().item())

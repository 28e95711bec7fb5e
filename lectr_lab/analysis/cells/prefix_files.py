"""The files of a prefix that many labs are shipped to, as views read them.

What was counted of them lies there too (`prefix_sets.py`). It is listed when it is first
asked for, and fetched whole: a month is one object, however many rows it had. Nothing is
written. What nobody has counted yet, such as today's, is read as rows, an object at a
time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.prefix_sets import (
    DAYS,
    MONTHS,
    Unpacked,
    day_path,
    days_from,
    month_path,
    unpacked,
)
from lectr_lab.analysis.cells.sets import Kept, together
from lectr_lab.analysis.views.selection import Period
from lectr_lab.core.errors import StoreError
from lectr_lab.log.schema import frame
from lectr_lab.shipping.remote import RemoteFile, RemoteLog, rows_of
from lectr_lab.shipping.stores import RemoteStore

_AT_ONCE = 16
_MOST_REMEMBERED_BYTES = 128_000_000
_INSTANT = timedelta(microseconds=1)


class Days(NamedTuple):
    """From the one to the other, both of them; None is open."""

    since: date | None = None
    until: date | None = None

    @classmethod
    def of(cls, when: Period) -> "Days":
        """Those of a time (UTC)."""
        first, end = when
        return cls(first and _day(first), end and _day(end - _INSTANT))

    def have(self, day: date) -> bool:
        """It is one of them.

        >>> Days(since=date(2026, 11, 2)).have(date(2026, 11, 1))
        False
        """
        too_early = self.since is not None and day < self.since
        return not too_early and (self.until is None or day <= self.until)


class PrefixFiles:
    """`LogFiles` of a prefix, as it was when it was listed."""

    is_far = True

    def __init__(
        self, log: RemoteLog, days: Days | None = None, shelf: "Shelf | None" = None
    ) -> None:
        self._log, self._shelf = log, shelf or Shelf(log.store)
        asked = days or Days()
        some = [one for one in log.files if asked.have(one.day)]
        self._files = {Path(one.path): one for one in some}
        self.parts = tuple(self._files)
        self.tail = frame([])

    def within(self, days: Days) -> "PrefixFiles":
        """Those of these days alone; nothing is listed again."""
        return PrefixFiles(self._log, days, self._shelf)

    def rows(self) -> pl.LazyFrame:
        """As `LogFiles`, as is the rest."""
        return self._log.rows([*self._files.values()])

    def between(self, first: datetime, end: datetime) -> pl.LazyFrame:
        at = pl.col("started_at")
        days = Days(_day(first), _day(end - _INSTANT))
        return self.within(days).rows().filter(at >= first, at < end)

    def each(self, parts: Sequence[Path]) -> Iterator[pl.LazyFrame]:
        for some in _batches([self._files[part].path for part in parts]):
            try:
                found = self._log.store.get_all(some)
            except FileNotFoundError:
                raise StoreError(
                    "Some of these rows were merged and swept since the log was opened. "
                    "Open it again."
                ) from None
            yield from (rows_of([data]) for data in found)

    def size(self, parts: Sequence[Path]) -> int:
        return sum(self._files[part].size for part in parts)

    def facts(self, parts: Sequence[Path], *, by_feature: bool = False) -> Kept:
        merged = {p: _set_of(one) for p in parts if (one := self._files[p]).merged}
        if not merged:
            return together([], parts)
        first = min(self._files[part].day for part in merged)
        known = self._shelf.of_days(first)
        found = self._shelf.sets([path for path in merged.values() if path in known])
        whole = {
            part: found[path]
            for part, path in merged.items()
            if path in found and not (by_feature and found[path].few)
        }
        left = [part for part in parts if part not in whole]
        few = any(one.few for one in whole.values())
        return together([*whole.values()], left, few=few)

    def months(
        self,
        parts: Sequence[Path],
        *,
        by_feature: bool = False,
        as_one: Callable[[date], bool] = lambda month: False,
        by_week: bool = False,
        as_whole: bool = False,
    ) -> Kept:
        # By days always: months as one go by the list of whoever added them up.
        asked, months = {self._files[part].path for part in parts}, self._months()
        known = self._shelf.of_months() if months else frozenset()
        stand: dict[str, list[RemoteFile]] = {}
        for files in months:
            for last in sorted({one.day for one in files}, reverse=True):
                # What runs was added up when its last day had ended, or the one before.
                some = [one for one in files if one.day <= last]
                path = month_path(last, map(_set_of, some))
                if path in known and asked.issuperset(one.path for one in some):
                    stand[path] = some
                    break
        found = self._shelf.sets([*stand])
        whole = {p: one for p, one in found.items() if not (by_feature and one.few)}
        stood = {Path(one.path) for path in whole for one in stand[path]}
        left = [part for part in parts if part not in stood]
        few = any(one.few for one in whole.values())
        return together([*whole.values()], left, few=few)

    def _months(self) -> list[list[RemoteFile]]:
        """What is merged of each month, of all that was listed."""
        found: dict[date, list[RemoteFile]] = {}
        for one in self._log.files:
            if one.merged:
                found.setdefault(one.day.replace(day=1), []).append(one)
        return [*found.values()]


class Shelf:
    """The sets of a prefix, those that were fetched last in memory."""

    def __init__(self, store: RemoteStore) -> None:
        self._store = store
        self._months: frozenset[str] | None = None
        self._days: tuple[date, frozenset[str]] | None = None
        self._fetched: dict[str, Unpacked] = {}

    def of_months(self) -> frozenset[str]:
        """The paths of those of months."""
        if self._months is None:
            self._months = frozenset(one.path for one in self._store.listed(MONTHS))
        return self._months

    def of_days(self, first: date) -> frozenset[str]:
        """The paths of those of days, from one on."""
        if self._days is None or self._days[0] > first:
            there = self._store.listed(DAYS, days_from(first))
            self._days = first, frozenset(one.path for one in there)
        return self._days[1]

    def sets(self, paths: Sequence[str]) -> dict[str, Unpacked]:
        """Those that are well, by their paths."""
        found = {path: self._fetched[path] for path in paths if path in self._fetched}
        for some in _batches([path for path in paths if path not in found]):
            for path, data in zip(some, self._store.get_some(some), strict=True):
                if data is not None and (one := unpacked(path, data)) is not None:
                    found[path] = one
        self._fetched |= found
        over = sum(map(_size, self._fetched.values())) - _MOST_REMEMBERED_BYTES
        for path in [*self._fetched]:
            if over <= 0:
                break
            over -= _size(self._fetched.pop(path))
        return found


def _size(one: Unpacked) -> int:
    return sum(map(len, one.values()))


def _set_of(one: RemoteFile) -> str:
    return day_path(one.day, one.name, one.size)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(paths), _AT_ONCE):
        yield paths[first : first + _AT_ONCE]

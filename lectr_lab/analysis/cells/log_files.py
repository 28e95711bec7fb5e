"""The files that a log is read from, as `planned.py` asks for them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from lectr_lab.analysis.cells.kept import kept_facts, kept_months
from lectr_lab.analysis.cells.sets import Kept
from lectr_lab.log.folder import folder_date
from lectr_lab.log.scan import Snapshot, scan_parts


class LogFiles(Protocol):
    """A log's files as they were at one moment, wherever they lie."""

    @property
    def parts(self) -> Sequence[Path]:
        """Those of rows; the folder that each is in names its day."""

    @property
    def tail(self) -> pl.DataFrame:
        """The events that are in none of them."""

    @property
    def is_far(self) -> bool:
        """Looking into each of the parts takes long."""

    def rows(self) -> pl.LazyFrame:
        """All events."""

    def between(self, first: datetime, end: datetime) -> pl.LazyFrame:
        """Those that were sent from the one to before the other."""

    def each(self, parts: Sequence[Path]) -> Iterator[pl.LazyFrame]:
        """The rows of these parts, of some at a time."""

    def size(self, parts: Sequence[Path]) -> int:
        """Their bytes."""

    def facts(self, parts: Sequence[Path], *, by_feature: bool = False) -> Kept:
        """What was counted of these parts; as `kept.kept_facts`."""

    def months(
        self,
        parts: Sequence[Path],
        *,
        by_feature: bool = False,
        as_one: Callable[[date], bool] = lambda month: False,
        by_week: bool = False,
        as_whole: bool = False,
    ) -> Kept:
        """Likewise of whole months; as `kept.kept_months`."""


class LabFiles:
    """Those of a lab folder; what was counted of them lies beside."""

    is_far = False

    def __init__(self, log: Snapshot) -> None:
        self._log = log
        self.parts, self.tail = log.parts, log.tail

    def rows(self) -> pl.LazyFrame:
        """As `LogFiles`, as is the rest."""
        return self._log.rows()

    def between(self, first: datetime, end: datetime) -> pl.LazyFrame:
        at = pl.col("started_at")
        # What began on a day is in the files of that day, or of a later one.
        parts = [part for part in self.parts if not _is_before(part, first)]
        some = self._log._replace(parts=tuple(parts)).rows()
        return some.filter(at >= first, at < end)

    def each(self, parts: Sequence[Path]) -> Iterator[pl.LazyFrame]:
        for part in parts:
            yield from scan_parts([part])

    def size(self, parts: Sequence[Path]) -> int:
        return sum(part.stat().st_size for part in parts)

    def facts(self, parts: Sequence[Path], *, by_feature: bool = False) -> Kept:
        return kept_facts(self._log.lab, parts, by_feature=by_feature)

    def months(
        self,
        parts: Sequence[Path],
        *,
        by_feature: bool = False,
        as_one: Callable[[date], bool] = lambda month: False,
        by_week: bool = False,
        as_whole: bool = False,
    ) -> Kept:
        return kept_months(
            self._log.lab,
            parts,
            by_feature=by_feature,
            as_one=as_one,
            by_week=by_week,
            as_whole=as_whole,
        )


def _is_before(part: Path, first: datetime) -> bool:
    """It is one of a day that was over by then (UTC)."""
    day = folder_date(part.parent)
    return day is not None and day < first.astimezone(UTC).date()

"""The newest days of a log: what is looked at where all of its rows would be too many."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.log_files import LogFiles
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Selection
from lectr_lab.log.folder import folder_date


class Newest(NamedTuple):
    """The newest whole days (UTC) of a log."""

    rows: pl.LazyFrame
    since: datetime | None  # when they begin; None: they are all


def day_ends(log: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """When the first and the last row of each day of a time zone began."""
    at = pl.col("started_at")
    ends = at.min().alias("first"), at.max().alias("last")
    day = at.dt.convert_time_zone(zone).dt.date().alias("day")
    return log.group_by(day).agg(ends).sort("day")


def newest_parts(
    log: LogFiles, selected: Selection, most: int
) -> tuple[Sequence[Path], datetime | None]:
    """The parts in which the newest days' rows are, and when these begin; None where
    that is all.

    Args:
        log: as it is now.
        selected: whose rows are counted.
        most: rows; where the newest day alone has more, it is that day.
    """
    taken: list[Path] = []
    counts: dict[date, int] = {}
    _count([log.tail.lazy()], selected, counts)
    for day, parts in _days(log.parts):
        _count(log.each(parts), selected, counts)
        taken += parts
        # What began on a day is in the files of that day, or of a later one.
        if day is not None and (since := _begin(counts, most, day)) is not None:
            return taken, since
    return log.parts, _begin(counts, most, date.min)


def newest_rows(log: pl.LazyFrame, most: int) -> Newest:
    """The same of any rows, whose days are counted first.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> newest_rows(demo_log().lazy(), 2_000).since.date().isoformat()
    '2026-11-20'
    """
    counts: dict[date, int] = {}
    _count([log], Selection(), counts)
    since = _begin(counts, most, date.min)
    at = pl.col("started_at")
    return Newest(log if since is None else log.filter(at >= since), since)


def _days(parts: Sequence[Path]) -> Iterator[tuple[date | None, list[Path]]]:
    """The files of each day, the newest first; those of no day before them."""
    found: dict[date | None, list[Path]] = {}
    for part in parts:
        found.setdefault(folder_date(part.parent), []).append(part)
    yield None, found.pop(None, [])
    yield from sorted(found.items(), key=lambda of: of[0] or date.min, reverse=True)


def _count(
    rows: Iterable[pl.LazyFrame], selected: Selection, counts: dict[date, int]
) -> None:
    """Add to how many rows began on each day."""
    for some in rows:
        day = pl.col("started_at").dt.date()
        for began, n in collected(
            selected.of(some).group_by(day=day).agg(pl.len())
        ).iter_rows():
            counts[began] = counts.get(began, 0) + n


def _begin(counts: dict[date, int], most: int, whole: date) -> datetime | None:
    """When the newest days begin that have so many rows at most; None where all days
    do, from the first on whose rows were counted."""
    total, first = 0, None
    for day in sorted((day for day in counts if day >= whole), reverse=True):
        total += counts[day]
        if total > most:
            return datetime.combine(first or day, time(), UTC)
        first = day
    return None

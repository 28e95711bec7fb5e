"""The newest rows of a log: what is looked at where all of its rows would be too many."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import NamedTuple

import polars as pl

from lectr_lab.analysis.cells.log_files import LogFiles
from lectr_lab.analysis.views.collected import collected
from lectr_lab.analysis.views.selection import Selection
from lectr_lab.log.folder import folder_date

_FINER = ("1h", "15m")  # where a day has more, its newest hours, and so on


class End(NamedTuple):
    """From when on the newest rows are, how many they are, and whether they are all."""

    first: datetime | None  # of an empty log None
    n: int
    is_all: bool


class Newest(NamedTuple):
    """The rows that are looked at; the rest is as of their `End`."""

    rows: pl.LazyFrame
    first: datetime | None
    n: int
    is_all: bool


def day_ends(log: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """When the first and the last row of each day of a time zone began."""
    at = pl.col("started_at")
    ends = at.min().alias("first"), at.max().alias("last")
    day = at.dt.convert_time_zone(zone).dt.date().alias("day")
    return log.group_by(day).agg(ends).sort("day")


def counts(rows: pl.LazyFrame, step: str, n: pl.Expr | None = None) -> pl.DataFrame:
    """How many rows each step (UTC) has: `at`, its start, and `n`.

    Args:
        rows: with `started_at`.
        step: "1d", "1h" or "15m".
        n: of how many rows each of these stands for; of one, unless told.

    >>> moments = [datetime(2026, 11, 2, hour, tzinfo=UTC) for hour in (9, 10)]
    >>> counts(pl.LazyFrame({"started_at": moments}), "1d")["n"].to_list()
    [2]
    """
    number = (pl.len() if n is None else n.sum()).cast(pl.Int64).alias("n")
    at = pl.col("started_at").dt.truncate(step).alias("at")
    return collected(rows.group_by(at).agg(number))


def counts_at_end(log: LogFiles, selected: Selection, most: int) -> pl.DataFrame:
    """The same of days at the end of a log, of which no other part is looked into: as
    many as have more than `most` rows, or all."""
    found = [counts(selected.of(log.tail.lazy()), "1d")]
    for day, parts in _days(log.parts):
        found += [counts(selected.of(some), "1d") for some in log.each(parts)]
        if day is not None:
            # What began on a day is in the files of that day, or of a later one.
            whole = pl.col("at") >= datetime.combine(day, time(), UTC)
            known = _together(found).filter(whole)
            if int(known["n"].sum()) > most:
                return known
    return _together(found)


def newest_end(
    per_day: pl.DataFrame,
    finer: Callable[[str, datetime], pl.DataFrame],
    most: int,
) -> End:
    """The newest rows in whole days, or in whole hours where one day has more than that.

    Args:
        per_day: `counts` of days.
        finer: those of a shorter step, from a moment on.
        most: rows at most; of a quarter of an hour, all.
    """
    end, fits = _end(per_day, most)
    for step in _FINER:
        if fits or end.first is None:
            break
        end, fits = _end(finer(step, end.first), most)
        end = end._replace(is_all=False)
    return end


def _end(per_step: pl.DataFrame, most: int) -> tuple[End, bool]:
    """The newest steps that have so many rows, or the last; and whether it has."""
    newest_first = _together([per_step]).sort("at", descending=True)
    if newest_first.is_empty():
        return End(None, 0, is_all=True), True
    fit = newest_first.filter(pl.col("n").cum_sum() <= most)
    some = fit if fit.height else newest_first.head(1)
    is_all = some.height == newest_first.height
    return End(some["at"][-1], int(some["n"].sum()), is_all), fit.height > 0


def _together(found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(found).group_by("at").agg(pl.col("n").sum())


def _days(parts: Sequence[Path]) -> Iterator[tuple[date | None, list[Path]]]:
    """The files of each day, the newest first; those of no day before them."""
    found: dict[date | None, list[Path]] = {}
    for part in parts:
        found.setdefault(folder_date(part.parent), []).append(part)
    yield None, found.pop(None, [])
    yield from sorted(found.items(), key=lambda of: of[0] or date.min, reverse=True)

"""Cells of a whole log, counted as its rows come: day by day, each kept small.

A query that groups holds kilobytes of each group until its end, and a year of a log has
ten million cells. So rows are read a batch at a time, and of each day there is one frame
of what was counted so far: names are numbers there, and numbers as small as they may be.
Rows may come in any order; where they come by time, which is how a log is read, little
has to be added twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import polars as pl

from lectr_lab.analysis.odd.cells import (
    COUNTS,
    SUMS,
    WHOLE,
    added,
    beside,
    in_units,
    measured_calls,
    measures,
    timed,
)
from lectr_lab.analysis.views.added_up import in_batches
from lectr_lab.analysis.views.groups import key_names

_WAITS = 8  # one of so many of a day's rows may wait to be added to the others
_ROWS_AT_ONCE = 100_000  # have all that is measured of them, 400 bytes each
_STEP_US = 300_000_000


class Days:
    """What is said of groups of rows by day, added up as rows come.

    Args:
        keys: what tells groups of a day apart.
        again: named aggregates of what was said of a group before.
        whole: those of them that are whole numbers.

    >>> days = Days(["who"], [pl.col("n").cast(pl.Int64).sum()], ["n"])
    >>> for n in (1, 2):
    ...     days.add(pl.DataFrame({"day": [date(2026, 11, 1)], "who": ["a"], "n": [n]}))
    >>> [some.rows() for some in days.taken()]
    [[], [('a', 3)]]
    """

    def __init__(
        self, keys: Sequence[str], again: Sequence[pl.Expr], whole: Sequence[str]
    ) -> None:
        self._keys, self._again, self._whole = list(keys), list(again), list(whole)
        self._added: dict[date, pl.DataFrame] = {}
        self._waiting: dict[date, list[pl.DataFrame]] = {}
        self._none = pl.DataFrame()

    def add(self, some: pl.DataFrame) -> None:
        """Groups of some more rows: `day`, the keys, and what is said of each."""
        self._none = shrunk(some.drop("day").clear(), self._whole)
        if some.is_empty():
            return
        parts = {part["day"][0]: part.drop("day") for part in some.partition_by("day")}
        for day, part in parts.items():
            own = shrunk(part, self._whole)
            self._waiting.setdefault(day, []).append(own)
        for day, waiting in list(self._waiting.items()):
            had = self._added[day].height if day in self._added else 0
            # More may come of a day that some just came of.
            many = 2 * had if day in parts else had // _WAITS
            if sum(part.height for part in waiting) > many:
                self._add_up(day)

    def taken(self) -> Iterator[pl.DataFrame]:
        """No group, then those of each day, which are not kept here."""
        yield self._none
        for day in sorted(self._added):
            self._add_up(day)
            yield self._added.pop(day)

    def _add_up(self, day: date) -> None:
        parts = self._waiting.pop(day, [])
        if day in self._added:
            parts.append(self._added[day])
        if len(parts) > 1:
            both = pl.concat(parts, how="vertical_relaxed")
            parts = [both.group_by(self._keys).agg(self._again)]
        self._added[day] = shrunk(parts[0], self._whole)


def shrunk(some: pl.DataFrame, whole: Sequence[str]) -> pl.DataFrame:
    """The same, whole numbers in as few bytes as they need.

    >>> shrunk(pl.DataFrame({"n": [1, 300], "usd": [0.1, 0.2]}), ["n"]).dtypes
    [Int16, Float64]
    """
    return some.with_columns(some[name].shrink_dtype() for name in whole)


def numbered(some: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The same, with a number for each text of some columns.

    >>> numbered(pl.DataFrame({"org": ["a"], "n": [1]}), ["org", "n"]).dtypes
    [Categorical, Int64]
    """
    texts = [name for name in names if some.schema[name] == pl.String]
    return some.with_columns(pl.col(texts).cast(pl.Categorical))


def durations_by_day(log: pl.LazyFrame, by: str | Sequence[str]) -> pl.DataFrame:
    """As `durations` says, of a log of any length."""
    series = key_names(by)
    counted = pl.col("requests").cast(pl.Int64).sum()
    days = Days(["date", *series, "bin"], [counted], ["bin", "requests"])

    def add(batch: pl.DataFrame) -> None:
        keys = ["day", pl.col("day").alias("date"), *series, "bin"]
        days.add(numbered(batch.group_by(keys).agg(requests=pl.len()), series))

    rows = timed(log, by)
    in_batches(rows, rows.collect_schema().names(), add)
    return in_order(days.taken(), series).rename({"date": "day"})


def cells_by_day(
    log: pl.LazyFrame, limits: pl.DataFrame, by: str | Sequence[str]
) -> pl.DataFrame:
    """As `cells` says, of a log of any length: small, and in order.

    Args:
        log: events with `cost_usd`.
        limits: `slow_limits` of the days in the log.
        by: what a series is, within its org.
    """
    series = key_names(by)
    own = [*series, *beside(by)]
    limits = numbered(limits, series)
    us = pl.col("started_at").dt.timestamp("us")
    step = (us // _STEP_US).cast(pl.Int32).alias("at")
    days = Days([*own, "at"], added(), WHOLE)

    on = ["day", *series]

    def add(batch: pl.DataFrame) -> None:
        for rows in batch.iter_slices(_ROWS_AT_ONCE) if batch.height else [batch]:
            some = numbered(rows, own).lazy()
            limited = some.join(limits.lazy(), on=on, how="left", nulls_equal=True)
            told = limited.select("day", *own, step, *measures())
            days.add(told.group_by("day", *own, "at").agg(added()).collect())

    rows = measured_calls(log, by)
    in_batches(rows, rows.collect_schema().names(), add)
    at = (pl.col("at").cast(pl.Int64) * _STEP_US).cast(pl.Datetime("us"))
    told = (
        some.sort("at").with_columns(at.dt.replace_time_zone("UTC"), *in_units())
        for some in days.taken()
    )
    return in_order(told, own)


def small(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells of a day as `cells_by_day` has them."""
    names = cells.select(pl.exclude(*SUMS)).columns
    whole = numbered(cells, names).with_columns(pl.col(*COUNTS).cast(pl.Int64))
    return shrunk(whole, COUNTS).sort("at")


def in_order(days: Iterable[pl.DataFrame], names: Sequence[str]) -> pl.DataFrame:
    """Frames of days in one: what has the same names is together, and by day.

    A column after another, for all of them are most of the memory that there is.
    """
    parts = [day.get_columns() for day in days]
    columns = [column.name for column in parts[0]]

    def whole(name: str) -> pl.Series:
        place = columns.index(name)
        some = [part[place].to_frame() for part in parts]
        for part in parts:
            part[place] = part[place].clear()
        return pl.concat(some, how="vertical_relaxed").to_series().rechunk()

    keys = pl.DataFrame([whole(name) for name in names])
    row = keys.with_row_index("_row").group_by(names).agg("_row")
    as_text = [pl.col(name).cast(pl.String) for name in names]
    order = row.sort(as_text).select(pl.col("_row").explode()).to_series()
    found = {name: keys[name].gather(order) for name in names}
    rest = [name for name in columns if name not in names]
    found |= {name: whole(name).gather(order) for name in rest}
    return pl.DataFrame(found)

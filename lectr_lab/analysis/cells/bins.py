"""How long a log's requests took, counted in bins, from which percentiles are told again.

The bins are those of `views/binned.py`, and percentiles of them are to the last bit what
`percentiles="binned"` gives of the rows, for bins add up exactly. Keyed by UTC day, and
for `total_ms` by the hour, they say nothing finer than that.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.cells.facts import may_be_settled
from lectr_lab.analysis.cells.kinds import kinds
from lectr_lab.analysis.views import binned, rows
from lectr_lab.analysis.views.percentiles import DURATIONS, binned_figures, duration

NAMES = ("org", "feature", "task", "provider", "model")
"""What bins can be grouped by, beside the day; `model` is the one that views show."""

KEYS = ("at", *NAMES, "duration", "bin")
"""What is counted by. `duration` is the place in `DURATIONS`; `at` the start of the hour
for the first of them, and of the day for all others."""

_SPAN = 200_000  # more than there are bins
_HOUR_US = 3_600_000_000
_LISTS = ("bin", "rows")


def bins(log: pl.DataFrame) -> pl.DataFrame:
    """A part of a log in bins.

    Args:
        log: events as they are stored, one a row.

    Returns:
        `KEYS` and `rows`: of clients' own calls that ended well, how many lie in each
        bin. Those that a fetch may still change are in none, and stay rows
        (`facts.may_be_settled`).

    >>> from lectr_lab.log.schema import frame
    >>> bins(frame([])).columns == [*KEYS, "rows"]
    True
    """
    return histograms(log).explode(_LISTS)


def row_bins(log: pl.DataFrame) -> pl.DataFrame:
    """The same of any rows, whatever may become of them.

    Args:
        log: events, as they are stored or as `scan` gives them.
    """
    return _histograms(log, rows.succeeded()).explode(_LISTS)


def histograms(log: pl.DataFrame) -> pl.DataFrame:
    """Bins as they are kept: `bin` and `rows` are lists, and so what they have in common
    is told once, which is read and written in a third of the time; in their order."""
    return _histograms(log, rows.succeeded() & ~may_be_settled().fill_null(False))


def apart(kept: pl.LazyFrame) -> pl.LazyFrame:
    """Histograms as `bins` gives them, a row for each bin."""
    return kept.explode(_LISTS)


def _histograms(log: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    names = {name: pl.col(name) for name in NAMES} | {"model": rows.model()}
    # Most rows are: to leave out the others here would copy the names of all.
    values = (
        pl.when(which).then(binned.bin_of(duration(name))).alias(name)
        for name in DURATIONS
    )
    some = log.lazy().select(_hour("started_at"), *values, **names)
    each = some.collect(engine="in-memory")
    whose, hours = kinds(each, NAMES), each["hour"]
    frame = _Frame.of(whose.names, hours)
    counted = []
    for nth, name in enumerate(DURATIONS):
        # By one number, sorted: a group-by of so many names takes many times as long.
        cells = frame.cells(nth, whose.of_rows, hours // 24 * 24 if nth else hours)
        runs = (cells + each[name]).drop_nulls().sort().rle().struct
        n = runs.field("len").cast(pl.Int64)
        counted.append(pl.DataFrame({"cell": runs.field("value"), "rows": n}))
    return frame.told(pl.concat(counted))


class _Frame(NamedTuple):
    """What a cell's number tells: `duration`, kind of names, hour and bin, in this order."""

    names: pl.DataFrame
    first: int
    n: int
    """The first hour, and how many there are."""

    @classmethod
    def of(cls, names: pl.DataFrame, hours: pl.Series) -> "_Frame":
        day = int(hours.min() or 0) // 24 * 24  # type: ignore[arg-type]
        return cls(names, day, int(hours.max() or 0) - day + 1)  # type: ignore[arg-type]

    def cells(self, duration: Any, kind: Any, hour: Any) -> Any:
        """The number of each, of which bin 0; of series or expressions."""
        place = (duration * self.names.height + kind) * self.n + (hour - self.first)
        return place * _SPAN - binned.ZERO

    def told(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Histograms of `cell` and `rows`, which stand in the order of cells."""
        cell = pl.col("cell")
        each = cells.select(
            (cell // _SPAN).alias("place"),
            (cell % _SPAN + binned.ZERO).cast(pl.Int32).alias("bin"),
            "rows",
        )
        found = each.group_by("place", maintain_order=True).agg(_LISTS)
        place = found["place"]
        hour, kind = place % self.n + self.first, place // self.n
        of = {
            "at": (hour * _HOUR_US).cast(pl.Datetime("us", "UTC")),
            "duration": (kind // (self.names.height or 1)).cast(pl.Int8),
        }
        names = self.names[kind % (self.names.height or 1)]
        return pl.DataFrame(of).hstack(names).hstack(found).select(*KEYS, "rows")


def _hour(at: str) -> pl.Expr:
    return (pl.col(at).dt.timestamp("us") // _HOUR_US).alias("hour")


def added(
    kept: pl.LazyFrame, *, at: pl.Expr | None = None, bin_: pl.Expr | None = None
) -> pl.DataFrame:
    """Histograms that are alike, as one each, in their order.

    Args:
        kept: of any parts of a log.
        at: what stands for `at`, the start of an hour; itself, unless told.
        bin_: what stands for `bin`; likewise.
    """
    moved = kept if at is None else kept.with_columns(at.alias("at"))
    each = moved.with_columns(_hour("at"))
    names = each.select(NAMES).unique().collect().sort(NAMES, nulls_last=True)
    frame = _Frame.of(names, each.select("hour").unique().collect()["hour"])
    kinds_ = names.with_row_index("kind").lazy()
    whose = each.join(kinds_, on=NAMES, how="left", nulls_equal=True)
    kind = pl.col("kind").cast(pl.Int64)
    first = frame.cells(pl.col("duration").cast(pl.Int64), kind, pl.col("hour"))
    number = pl.col("bin") if bin_ is None else bin_
    cells = (
        whose.select(first.alias("first"), *_LISTS)
        .explode(_LISTS)
        .group_by((pl.col("first") + number).alias("cell"))
        .agg(pl.col("rows").sum())
        .sort("cell")
    )
    return frame.told(cells.collect(engine="streaming"))


def of_total(kept: pl.LazyFrame, *, at: pl.Expr | None = None) -> pl.DataFrame:
    """Those of `total_ms` alone, two bins as one, as a page has them.

    Args:
        kept: histograms of any parts of a log.
        at: what stands for `at`; itself, unless told.

    Returns:
        Histograms, in their order; `task` is null, and `bin` the upper of the two.
    """
    none = pl.lit(None, pl.String).alias("task")
    total = kept.filter(pl.col("duration") == 0).with_columns(none)
    return added(total, at=at, bin_=upper_of_two())


def upper_of_two() -> pl.Expr:
    """The upper of the two bins that are one for a page."""
    return ((pl.col("bin") + 1) // 2 * 2).cast(pl.Int32).alias("bin")


def figures(
    counted: pl.LazyFrame, keys: Sequence[pl.Expr], *, intervals: bool = False
) -> pl.LazyFrame:
    """Percentiles of each group, as `latency` has them of rows in bins.

    Args:
        counted: bins.
        keys: named expressions over `NAMES` and `at`, none for one row.
        intervals: add the 95 % interval of every percentile.

    Returns:
        The keys, then each duration's percentiles and n, and the median speed, of the
        groups that have any success.
    """
    named = [key.meta.output_name() for key in keys]
    group = [pl.lit(0).alias("_all"), *keys]
    by = ["_all", *named]
    found = [
        binned_figures(
            counted.filter(pl.col("duration") == nth)
            .group_by(*group, pl.col("bin").alias(binned.BIN))
            .agg(pl.col("rows").sum().alias(binned.N)),
            by,
            name,
            intervals,
        )
        for nth, name in enumerate(DURATIONS)
    ]
    # Every success has its total time, so no group is only among the others.
    joined = reduce(
        lambda left, right: left.join(right, on=by, how="left", nulls_equal=True), found
    )
    return joined.drop("_all")

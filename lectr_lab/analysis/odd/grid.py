"""Cells as arrays: series by time, with nothing between two requests but zeros."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.analysis.odd.cells import MODEL, SUMS
from lectr_lab.analysis.odd.predict import HOUR, Array, Clock

CELL = timedelta(minutes=5)
_CELL_S = 300
_MOST_MODELS = 6
_BLOCK = 24  # series whose arrays stay in a core's cache
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """The time that is looked at, in cells, from a midnight of UTC on."""

    start: datetime
    cells: int  # whole hours of them
    exposure: Array  # the part of each cell that has passed
    clock: Clock

    @property
    def last(self) -> int:
        """The cell that `now` lies in, or the last one."""
        return int(np.flatnonzero(self.exposure)[-1])

    @property
    def hours(self) -> int:
        """How many there are."""
        return self.cells // HOUR

    def at(self, cell: int) -> datetime:
        """When a cell begins."""
        return self.start + cell * CELL

    def place(self, at: datetime) -> int:
        """The cell that a moment lies in."""
        return (at - self.start) // CELL


class Grid(NamedTuple):
    """Some series, each sum of `SUMS` as an array of series by cells."""

    span: Span
    series: pl.DataFrame  # the keys, a row each
    sums: dict[str, Array]
    owner: NDArray[np.int64]  # whose model it is: the place of a series
    models: pl.DataFrame  # provider and model, a row each; null is all the rest
    asked: Array  # requests, models by cells


def span_of(start: datetime, now: datetime, zone: ZoneInfo) -> Span:
    """From the midnight before `start` to `now`.

    >>> span = span_of(_EPOCH, _EPOCH + timedelta(minutes=61), ZoneInfo("UTC"))
    >>> span.cells, span.last, round(float(span.exposure[12]), 9)
    (24, 12, 0.2)
    """
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    passed = max((now - midnight).total_seconds(), 1.0) / _CELL_S
    cells = -(-int(np.ceil(passed)) // HOUR) * HOUR
    exposure = np.clip(passed - np.arange(cells), 0.0, 1.0)
    moments = (midnight + timedelta(hours=h) for h in range(cells // HOUR))
    offsets = [at.astimezone(zone).utcoffset() or timedelta() for at in moments]
    hours = np.array([round(off.total_seconds() / 3600) for off in offsets], np.int64)
    return Span(midnight, cells, exposure, Clock(hours))


def grids(cells: pl.DataFrame, keys: Sequence[str], span: Span) -> Iterator[Grid]:
    """The series of the cells, some at a time.

    Args:
        cells: as `cells.cells` counts them; what lies outside the span is left out.
        keys: the columns that name a series.
        span: the time that is looked at.
    """
    passed = (pl.col("at") - pl.lit(span.start)).dt.total_seconds() // _CELL_S
    placed = cells.with_columns(t=passed.cast(pl.Int64)).filter(
        pl.col("t").is_between(0, span.last)
    )
    named = placed.select(keys).unique().sort(keys).with_row_index("s")
    placed = placed.join(named, on=keys, nulls_equal=True).sort("s")
    ranks = _ranks(placed)
    starts = np.arange(0, named.height + _BLOCK, _BLOCK)
    ends = np.searchsorted(placed["s"].to_numpy(), starts)
    for block, (first, last) in enumerate(pairwise(ends.tolist())):
        series = named.slice(block * _BLOCK, _BLOCK)
        yield _grid(span, series, placed.slice(first, last - first), ranks)


def _ranks(placed: pl.DataFrame) -> pl.DataFrame:
    """The models of series that ask more than one; the seldom are one rank."""
    seldom = pl.col("rank") >= _MOST_MODELS
    return (
        placed.group_by("s", *MODEL)
        .agg(pl.col("n").sum())
        .sort("n", *MODEL, descending=[True, False, False])
        .with_columns(rank=pl.int_range(pl.len()).over("s"), several=pl.len().over("s"))
        .filter(pl.col("several") > 1)
        .with_columns(
            rank=pl.col("rank").clip(upper_bound=_MOST_MODELS),
            **{f"{n}_shown": pl.when(~seldom).then(n) for n in MODEL},
        )
        .drop("n", "several")
    )


def _grid(
    span: Span, series: pl.DataFrame, cells: pl.DataFrame, ranks: pl.DataFrame
) -> Grid:
    first = int(series["s"][0])
    at = (cells["s"].cast(pl.Int64) - first) * span.cells + cells["t"]
    shape = (series.height, span.cells)
    sums = {name: _added(shape, at, cells[name]) for name in SUMS}
    of = cells.select("s", "t", "n", *MODEL).join(
        ranks, on=["s", *MODEL], nulls_equal=True
    )
    shown = [pl.col(f"{name}_shown").alias(name) for name in MODEL]
    pairs = of.select("s", "rank", *shown).unique().sort("s", "rank")
    numbered = pairs.select("s", "rank").with_row_index("p")
    of = of.join(numbered, on=["s", "rank"])
    place = of["p"].cast(pl.Int64) * span.cells + of["t"]
    return Grid(
        span,
        series.drop("s"),
        sums,
        pairs["s"].to_numpy().astype(np.int64) - first,
        pairs.select(MODEL),
        _added((pairs.height, span.cells), place, of["n"]),
    )


def _added(shape: tuple[int, int], at: pl.Series, values: pl.Series) -> Array:
    """Values added up at their places in an array, by rows."""
    size = shape[0] * shape[1]
    flat = np.bincount(at.to_numpy(), weights=values.to_numpy(), minlength=size)
    return flat.reshape(shape)

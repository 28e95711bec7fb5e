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
    names = list(dict.fromkeys((*keys, *MODEL)))
    asked = placed.group_by(names).agg(pl.col("n").sum())
    named = asked.select(keys).unique().sort(keys).with_row_index("s")
    ranked = asked.join(named, on=keys, nulls_equal=True).with_columns(
        rank=_rank().over("s"), several=pl.len().over("s") > 1
    )
    numbers = ranked.select(*names, "s", rank=pl.when("several").then("rank"))
    numbered = (
        placed.join(numbers, on=names, nulls_equal=True, maintain_order="none")
        .select("s", "t", "rank", *SUMS)
        .sort("s")
    )
    starts = np.arange(0, named.height + _BLOCK, _BLOCK)
    ends = np.searchsorted(numbered["s"].to_numpy(), starts)
    for block, (first, last) in enumerate(pairwise(ends.tolist())):
        series = named.slice(block * _BLOCK, _BLOCK)
        shown = ranked.filter("several", pl.col("s").is_in(series["s"].to_list()))
        yield _grid(span, series, numbered.slice(first, last - first), shown)


def _rank() -> pl.Expr:
    """Of the models of a series: those asked most first, and all the seldom one rank."""
    place = pl.struct(-pl.col("n"), *MODEL).rank("ordinal").cast(pl.Int64) - 1
    return place.clip(upper_bound=_MOST_MODELS)


def _grid(
    span: Span, series: pl.DataFrame, cells: pl.DataFrame, ranked: pl.DataFrame
) -> Grid:
    first = int(series["s"][0])
    at = (cells["s"].cast(pl.Int64) - first) * span.cells + cells["t"]
    shape = (series.height, span.cells)
    sums = {name: _added(shape, at, cells[name]) for name in SUMS}
    seldom = pl.col("rank") >= _MOST_MODELS
    shown = [pl.when(~seldom).then(name).alias(name) for name in MODEL]
    pairs = ranked.select("s", "rank", *shown).unique().sort("s", "rank")
    of = cells.select("s", "t", "n", "rank").filter(pl.col("rank").is_not_null())
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

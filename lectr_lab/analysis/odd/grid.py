"""Cells as arrays: series by time, with nothing between two requests but zeros."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.analysis.odd.cells import MODEL, SUMS
from lectr_lab.analysis.odd.predict import HOUR, Array, Clock

CELL = timedelta(minutes=5)
_CELL_S = 300
_MOST_MODELS = 6
JUDGED = tuple(name for name in SUMS if not name.endswith("_tokens"))
"""Sums that kinds are judged by; tokens are for the parts of dollars alone."""

BLOCK = 24
"""Series whose arrays stay in a core's cache."""

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
    """Some series, each sum of `JUDGED` as an array of series by cells."""

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
    t = cells.select(passed.cast(pl.Int64)).to_series()
    within = t.is_between(0, span.last).arg_true()
    names = list(dict.fromkeys((*keys, *MODEL)))
    told = cells.select("n", *names)[within]
    codes = numbered(told, names)
    by_code = told.hstack(codes).group_by(codes.columns)
    asked = by_code.agg(pl.col("n").sum(), pl.col(names).first())
    named = asked.select(keys).unique().sort(keys).with_row_index("s")
    ranked = asked.join(named, on=keys, nulls_equal=True).with_columns(
        rank=_rank().over("s"), several=pl.len().over("s") > 1
    )
    of = ranked.select(*codes.columns, "s", rank=pl.when("several").then("rank"))
    places = codes.join(
        of, on=codes.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    # Of all cells their places alone are put in order: they are the most of the memory.
    order = np.argsort(places["s"].to_numpy(), kind="stable")
    starts = np.arange(0, named.height + BLOCK, BLOCK)
    ends = np.searchsorted(places["s"].to_numpy()[order], starts)
    judged = cells.select(*JUDGED)
    for block, (first, last) in enumerate(pairwise(ends.tolist())):
        series = named.slice(block * BLOCK, BLOCK)
        shown = ranked.filter("several", pl.col("s").is_in(series["s"].to_list()))
        some = pl.Series(order[first:last])
        rows = within.gather(some)
        own = judged[rows].with_columns(t.gather(rows).alias("t"))
        own = own.hstack(places.select("s", "rank")[some])
        yield _grid(span, series, own, shown)


def numbered(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Columns with a number for each text, by which rows are grouped and joined in a
    fifth of the time; other types as they are.

    >>> frame = pl.DataFrame({"org": ["a", None, "a"], "tries": [1, 1, 2]})
    >>> codes = numbered(frame, ["org", "tries"])
    >>> codes["code_0"][0] == codes["code_0"][2], codes.row(1)
    (True, (None, 1))
    """

    def code(name: str) -> pl.Expr:
        text = frame.schema[name] == pl.String
        return pl.col(name).cast(pl.Categorical).to_physical() if text else pl.col(name)

    return frame.select(code(name).alias(f"code_{i}") for i, name in enumerate(names))


def of_series(
    cells: pl.DataFrame, keys: Sequence[str], series: Sequence[tuple[Any, ...]]
) -> pl.DataFrame:
    """The cells of some series alone.

    >>> cells = pl.DataFrame({"org": ["a", None, "b"], "n": [1.0, 2.0, 3.0]})
    >>> of_series(cells, ["org"], [(None,), ("b",)])["n"].to_list()
    [2.0, 3.0]
    """
    codes = numbered(cells, keys)
    wanted = pl.DataFrame(list(series), cells.select(keys).schema, orient="row")
    known = cells.select(keys).hstack(codes).unique(codes.columns)
    mine = known.join(wanted, on=keys, how="semi", nulls_equal=True)
    rows = codes.with_row_index("row").join(
        mine, on=codes.columns, how="semi", nulls_equal=True
    )
    return cells[rows["row"].sort()]


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
    sums = {name: _added(shape, at, cells[name]) for name in JUDGED}
    seldom = pl.col("rank") >= _MOST_MODELS
    shown = [pl.when(~seldom).then(name).alias(name) for name in MODEL]
    pairs = ranked.select("s", "rank", *shown).unique().sort("s", "rank")
    of = cells.select("s", "t", "n", "rank").filter(pl.col("rank").is_not_null())
    ordered, theirs = (_pair(frame) for frame in (pairs, of))
    place = np.searchsorted(ordered, theirs) * span.cells + of["t"].to_numpy()
    return Grid(
        span,
        series.drop("s"),
        sums,
        pairs["s"].to_numpy().astype(np.int64) - first,
        pairs.select(MODEL),
        _added((pairs.height, span.cells), pl.Series(place), of["n"]),
    )


def _pair(frame: pl.DataFrame) -> NDArray[np.int64]:
    """One number for a series and the rank of its model, in their order."""
    s = frame["s"].to_numpy().astype(np.int64)
    return s * (_MOST_MODELS + 1) + frame["rank"].to_numpy()


def some_of(grid: Grid, series: NDArray[np.int64]) -> Grid:
    """A grid of some of its series alone."""
    place = np.full(grid.series.height, -1)
    place[series] = np.arange(len(series))
    mine = np.flatnonzero(place[grid.owner] >= 0) if len(grid.owner) else grid.owner
    return grid._replace(
        series=grid.series[series.tolist()],
        sums={name: values[series] for name, values in grid.sums.items()},
        owner=place[grid.owner[mine]],
        models=grid.models[mine.tolist()],
        asked=grid.asked[mine],
    )


def joined(grids: Sequence[Grid]) -> Grid:
    """The series of several grids of one span in one."""
    starts = np.cumsum([0, *(grid.series.height for grid in grids)])
    owners = [grid.owner + start for grid, start in zip(grids, starts, strict=False)]
    return Grid(
        grids[0].span,
        pl.concat(grid.series for grid in grids),
        {name: np.concatenate([grid.sums[name] for grid in grids]) for name in JUDGED},
        np.concatenate(owners),
        pl.concat(grid.models for grid in grids),
        np.concatenate([grid.asked for grid in grids]),
    )


def _added(shape: tuple[int, int], at: pl.Series, values: pl.Series) -> Array:
    """Values added up at their places in an array, by rows."""
    size = shape[0] * shape[1]
    flat = np.bincount(at.to_numpy(), weights=values.to_numpy(), minlength=size)
    return flat.reshape(shape)

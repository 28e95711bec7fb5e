"""Cells as arrays: series by time, with nothing between two requests but zeros."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
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
"""Series whose arrays are made at once, at most."""
_MOST_PLACES = 256_000  # of such an array: 37 days of `BLOCK` series

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
    inside = cells["at"].is_between(span.start, span.at(span.last + 1), closed="left")
    if not inside.all():
        cells = cells.filter(inside)
    names = list(dict.fromkeys((*keys, *MODEL)))
    runs = _runs(cells, names)
    asked = runs.group_by(names).agg(pl.col("n").sum())
    named = asked.select(keys).unique().sort(keys).with_row_index("s")
    ranked = asked.join(named, on=keys, nulls_equal=True).with_columns(
        rank=_rank().over("s"), several=pl.len().over("s") > 1
    )
    of = ranked.select(*names, "s", rank=pl.when("several").then("rank"))
    placed = runs.join(of, on=names, how="left", nulls_equal=True).sort("s", "begin")
    few = block_of(span)
    for first in range(0, named.height, few):
        within = pl.col("s").is_between(first, first + few - 1)
        own = placed.filter(within)
        shown = ranked.filter("several", within)
        yield _grid(span, named.slice(first, few), cells, own, shown)


def block_of(span: Span) -> int:
    """Of how many series arrays are made at once: of fewer, the longer they are."""
    return max(1, min(BLOCK, _MOST_PLACES // span.cells))


def _runs(cells: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows that follow each other and have the same names: these, `begin` and `end`, and
    the `n` of all of them. Cells in order have one for each series and model."""
    codes = numbered(cells, names)
    others = [pl.col(code).ne_missing(pl.col(code).shift(1)) for code in codes.columns]
    begins = codes.select(pl.any_horizontal(others)).to_series().arg_true().to_numpy()
    begins = np.unique(np.append(0, begins))[: cells.height]
    n = cells["n"].cast(pl.Float64).to_numpy()
    named = cells.select(names)[begins].with_columns(
        pl.col(pl.Categorical).cast(pl.String)
    )
    return named.with_columns(
        begin=pl.Series(begins, dtype=pl.Int64),
        end=pl.Series(np.append(begins[1:], cells.height)[: len(begins)]),
        n=pl.Series(np.add.reduceat(n, begins) if len(begins) else n),
    )


def _rows(runs: pl.DataFrame) -> NDArray[np.int64]:
    """The rows of some runs."""
    begins, ends = (runs[name].to_numpy() for name in ("begin", "end"))
    lengths = ends - begins
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins - before, lengths) + np.arange(lengths.sum())


def numbered(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Columns with a number for each text, by which rows are grouped and joined in a
    fifth of the time; other types as they are.

    >>> frame = pl.DataFrame({"org": ["a", None, "a"], "tries": [1, 1, 2]})
    >>> codes = numbered(frame, ["org", "tries"])
    >>> codes["code_0"][0] == codes["code_0"][2], codes.row(1)
    (True, (None, 1))
    """

    def code(name: str) -> pl.Expr:
        text = frame.schema[name] in (pl.String, pl.Categorical)
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
    runs = _runs(cells, keys)
    wanted = pl.DataFrame(list(series), runs.select(keys).schema, orient="row")
    mine = runs.join(wanted, on=keys, how="semi", nulls_equal=True)
    return cells[_rows(mine.sort("begin"))]


def _rank() -> pl.Expr:
    """Of the models of a series: those asked most first, and all the seldom one rank."""
    place = pl.struct(-pl.col("n"), *MODEL).rank("ordinal").cast(pl.Int64) - 1
    return place.clip(upper_bound=_MOST_MODELS)


def _grid(
    span: Span,
    series: pl.DataFrame,
    cells: pl.DataFrame,
    runs: pl.DataFrame,
    ranked: pl.DataFrame,
) -> Grid:
    first = int(series["s"][0])
    rows, lengths = pl.Series(_rows(runs)), (runs["end"] - runs["begin"]).to_numpy()
    passed = (cells["at"].gather(rows) - span.start).dt.total_seconds() // _CELL_S
    t, s = passed.to_numpy(), np.repeat(runs["s"].to_numpy().astype(np.int64), lengths)
    at, shape = (s - first) * span.cells + t, (series.height, span.cells)
    sums = {name: _added(shape, at, cells[name].gather(rows)) for name in JUDGED}
    seldom = pl.col("rank") >= _MOST_MODELS
    shown = [pl.when(~seldom).then(name).alias(name) for name in MODEL]
    pairs = ranked.select("s", "rank", *shown).unique().sort("s", "rank")
    rank = np.repeat(runs["rank"].fill_null(-1).to_numpy(), lengths)
    of = rank >= 0  # series that have several
    ordered = _pair(pairs["s"].to_numpy().astype(np.int64), pairs["rank"].to_numpy())
    place = np.searchsorted(ordered, _pair(s[of], rank[of])) * span.cells + t[of]
    n = cells["n"].gather(rows).filter(pl.Series(of))
    return Grid(
        span,
        series.drop("s"),
        sums,
        pairs["s"].to_numpy().astype(np.int64) - first,
        pairs.select(MODEL),
        _added((pairs.height, span.cells), place, n),
    )


def _pair(s: NDArray[np.int64], rank: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a series and the rank of its model, in their order."""
    return s * (_MOST_MODELS + 1) + rank


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


def _added(shape: tuple[int, int], at: NDArray[np.int64], values: pl.Series) -> Array:
    """Values added up at their places in an array, by rows."""
    size = shape[0] * shape[1]
    flat = np.bincount(at, weights=values.to_numpy(), minlength=size)
    return flat.reshape(shape)

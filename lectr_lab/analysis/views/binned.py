"""Ranks of more values than one sorts: from counts in logarithmic bins.

A bin is two per cent wide, and its middle stands for all in it: so a percentile is
within 1 % of a value that was measured. The counts of a group are a few hundred
numbers, however many rows there are. Source: Masson, Rim and Lee, DDSketch, PVLDB 12
(2019), 2195-2205.
"""

import math

import polars as pl

RELATIVE_ERROR = 0.01
_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
ZERO = -100_000
"""The bin of 0: below all others, and its middle is 0.0."""

_BINS = 200_000  # more than lie on either side of bin 0, together
_BATCH_ROWS = 250_000
_CELL, _PLACE = "_cell", "_place"
BIN, N = "_bin", "_n"
"""The columns of counts: a bin, and how many values it has."""


class _Tally:
    """How many values each cell has: added up, and batches that are not yet."""

    def __init__(self) -> None:
        self._sum = pl.DataFrame(schema={_CELL: pl.Int64, N: pl.Int64})
        self._batches: list[pl.DataFrame] = []
        self._waiting = 0

    def add(self, cells: pl.Series) -> None:
        """Count a batch's values by their cells."""
        # Sorting is four times as fast here as a group-by.
        runs = cells.drop_nulls().sort().rle().struct
        n = runs.field("len").cast(pl.Int64)
        self._batches.append(pl.DataFrame({_CELL: runs.field("value"), N: n}))
        self._waiting += n.len()
        # Few beside the sum: so memory follows the number of cells, not that of rows.
        if self._waiting > max(self._sum.height // 4, _BATCH_ROWS):
            self.total()

    def total(self) -> pl.DataFrame:
        """All that was counted."""
        both = pl.concat([self._sum, *self._batches]).sort(_CELL)
        self._batches, self._waiting = [], 0
        self._sum = both.group_by(_CELL).agg(pl.col(N).sum())
        return self._sum


def bin_counts(log: pl.LazyFrame, key: str) -> dict[str, pl.DataFrame]:
    """How many values lie in each bin, per group; the log is read now, in batches.

    Args:
        log: the key; all other columns are values >= 0, null where there is none.
        key: the column to group by.

    Returns:
        For each other column: the key, the bin and how many rows it has.
    """
    binned = log.with_columns(bin_of(pl.exclude(key)) - ZERO)
    bin_ = pl.col(BIN) + ZERO
    found = value_counts(binned, key, below=_BINS)
    return {
        name: counts.rename({name: BIN}).with_columns(bin_.cast(pl.Int32))
        for name, counts in found.items()
    }


def value_counts(log: pl.LazyFrame, key: str, *, below: int) -> dict[str, pl.DataFrame]:
    """How many rows have each whole number, per group; the log is read now, in batches.

    Args:
        log: the key; all other columns are whole numbers from 0, null where there is none.
        key: the column to group by.
        below: more than any of the numbers.

    Returns:
        For each other column: the key, the number by the column's name, and how many
        rows have it.
    """
    schema = log.collect_schema()
    places = pl.DataFrame(schema={key: schema[key], _PLACE: pl.Int64})
    tallies = {name: _Tally() for name in schema.names() if name != key}

    def count(batch: pl.DataFrame) -> None:
        nonlocal places
        places = _with_new(places, batch.select(key))
        place = batch.select(key).join(
            places, on=key, how="left", maintain_order="left"
        )[_PLACE]
        for name, tally in tallies.items():
            tally.add(place * below + batch[name])

    # A group-by over the whole log would hold what it has not added up until its end.
    log.sink_batches(count, chunk_size=_BATCH_ROWS, maintain_order=False)
    cell = pl.col(_CELL)
    return {
        name: tally.total()
        .select((cell // below).alias(_PLACE), (cell % below).alias(name), N)
        .join(places, on=_PLACE)
        .drop(_PLACE)
        for name, tally in tallies.items()
    }


def _with_new(places: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """The groups with their places, and those that were not among them."""
    new = keys.unique().join(places, on=keys.columns, how="anti")
    at = pl.int_range(places.height, places.height + new.height, eager=True)
    return pl.concat([places, new.with_columns(at.alias(_PLACE))])


def bin_of(value: pl.Expr) -> pl.Expr:
    """The bin of values >= 0; null where there is none."""
    number = (value.log() / math.log(_GROWTH)).ceil()
    return (
        pl.when(value > 0)
        .then(number)
        .when(value.is_not_null())
        .then(ZERO)
        .cast(pl.Int32)
    )


def count() -> pl.Expr:
    """How many values the bins of a group hold."""
    return pl.col(N).sum()


def at(rank: pl.Expr) -> pl.Expr:
    """The middle of the bin that holds a rank, from 0; null where there is no such."""
    passed = pl.col(N).sort_by(BIN).cum_sum() > rank
    reached = pl.col(BIN).sort_by(BIN).get(passed.arg_max(), null_on_oob=True)
    middle = 2 * pl.lit(_GROWTH).pow(reached) / (_GROWTH + 1)
    return pl.when((rank >= 0) & (rank < count())).then(middle)

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
_ZERO = -100_000  # the bin of 0: below all others, and its middle is 0.0
_BINS = 200_000  # more than lie on either side of bin 0, together
_BATCH_ROWS = 4_000_000
_BIN, _N, _CELL, _PLACE = "_bin", "_n", "_cell", "_place"


def bin_counts(log: pl.LazyFrame, key: str) -> dict[str, pl.DataFrame]:
    """How many values lie in each bin, per group; the log is read now, in batches.

    Args:
        log: the key; all other columns are values >= 0, null where there is none.
        key: the column to group by.

    Returns:
        For each other column: the key, the bin and how many rows it has.
    """
    bins = log.with_columns(_bin(pl.exclude(key)))
    schema = bins.collect_schema()
    places = pl.DataFrame(schema={key: schema[key], _PLACE: pl.Int64})
    no_cells = pl.DataFrame(schema={_CELL: pl.Int64, _N: pl.Int64})
    cells = {name: no_cells for name in schema.names() if name != key}
    # A group-by over the whole log would hold what it has not added up until its end.
    for batch in bins.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=False):
        places = _with_new(places, batch.select(key))
        place = batch.select(key).join(
            places, on=key, how="left", maintain_order="left"
        )[_PLACE]
        for name, before in cells.items():
            both = pl.concat([before, _counted(place, batch[name])])
            cells[name] = both.group_by(_CELL).agg(pl.col(_N).sum())
    return {name: _unpacked(found, places) for name, found in cells.items()}


def _with_new(places: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """The groups with their places, and those that were not among them."""
    new = keys.unique().join(places, on=keys.columns, how="anti")
    at = pl.int_range(places.height, places.height + new.height, eager=True)
    return pl.concat([places, new.with_columns(at.alias(_PLACE))])


def _bin(value: pl.Expr) -> pl.Expr:
    number = (value.log() / math.log(_GROWTH)).ceil()
    return (
        pl.when(value > 0)
        .then(number)
        .when(value.is_not_null())
        .then(_ZERO)
        .cast(pl.Int32)
    )


def _counted(place: pl.Series, bins: pl.Series) -> pl.DataFrame:
    """How many rows each cell has: a place and a bin, in one number that is fast."""
    cells = (place * _BINS + (bins - _ZERO)).drop_nulls()
    # Sorting is four times as fast here as a group-by.
    runs = cells.sort().rle().struct
    n = runs.field("len").cast(pl.Int64)
    return pl.DataFrame({_CELL: runs.field("value"), _N: n})


def _unpacked(cells: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    cell = pl.col(_CELL)
    bin_ = (cell % _BINS + _ZERO).cast(pl.Int32)
    found = cells.select((cell // _BINS).alias(_PLACE), bin_.alias(_BIN), _N)
    return found.join(places, on=_PLACE).drop(_PLACE)


def count() -> pl.Expr:
    """How many values the bins of a group hold."""
    return pl.col(_N).sum()


def at(rank: pl.Expr) -> pl.Expr:
    """The middle of the bin that holds a rank, from 0; null where there is no such."""
    passed = pl.col(_N).sort_by(_BIN).cum_sum() > rank
    reached = pl.col(_BIN).sort_by(_BIN).get(passed.arg_max(), null_on_oob=True)
    middle = 2 * pl.lit(_GROWTH).pow(reached) / (_GROWTH + 1)
    return pl.when((rank >= 0) & (rank < count())).then(middle)

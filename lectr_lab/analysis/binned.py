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
_BATCH_ROWS = 4_000_000
_BIN, _N = "_bin", "_n"


def bin_counts(log: pl.LazyFrame, key: str) -> dict[str, pl.DataFrame]:
    """How many values lie in each bin, per group; the log is read now, in batches.

    Args:
        log: the key; all other columns are values >= 0, null where there is none.
        key: the column to group by.

    Returns:
        For each other column: the key, the bin and how many rows it has.
    """
    bins = log.with_columns(_bin(pl.exclude(key)))
    empty = pl.DataFrame(schema=bins.collect_schema())
    names = [name for name in empty.columns if name != key]
    counts = {name: _counted(empty, key, name) for name in names}
    # A group-by over the whole log would hold what it has not added up until its end.
    for batch in bins.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=False):
        for name, before in counts.items():
            both = pl.concat([before, _counted(batch, key, name)])
            counts[name] = both.group_by(key, _BIN).agg(pl.col(_N).sum())
    return counts


def _bin(value: pl.Expr) -> pl.Expr:
    number = (value.log() / math.log(_GROWTH)).ceil()
    return (
        pl.when(value > 0)
        .then(number)
        .when(value.is_not_null())
        .then(_ZERO)
        .cast(pl.Int32)
    )


def _counted(bins: pl.DataFrame, key: str, name: str) -> pl.DataFrame:
    known = bins.select(key, pl.col(name).alias(_BIN)).drop_nulls(_BIN)
    return known.group_by(key, _BIN).agg(pl.len().cast(pl.Int64).alias(_N))


def count() -> pl.Expr:
    """How many values the bins of a group hold."""
    return pl.col(_N).sum()


def at(rank: pl.Expr) -> pl.Expr:
    """The middle of the bin that holds a rank, from 0; null where there is no such."""
    passed = pl.col(_N).sort_by(_BIN).cum_sum() > rank
    reached = pl.col(_BIN).sort_by(_BIN).get(passed.arg_max(), null_on_oob=True)
    middle = 2 * pl.lit(_GROWTH).pow(reached) / (_GROWTH + 1)
    return pl.when((rank >= 0) & (rank < count())).then(middle)

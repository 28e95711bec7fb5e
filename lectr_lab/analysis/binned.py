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
_BATCH_ROWS = 1_000_000
_BIN, _N = "_bin", "_n"


def bin_counts(log: pl.LazyFrame, keys: list[str]) -> dict[str, pl.DataFrame]:
    """How many values lie in each bin, per group; the log is read now, in batches.

    Args:
        log: the keys; all other columns are values >= 0, null where there is none.
        keys: the columns to group by.

    Returns:
        For each other column: the keys, the bin and how many rows it has.
    """
    schema = log.collect_schema()
    counts = {
        name: _counted(pl.DataFrame(schema=schema), keys, name)
        for name in schema
        if name not in keys
    }
    # A group-by over the whole log would hold what it has not added up until its end.
    for batch in log.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=False):
        for name, before in counts.items():
            both = pl.concat([before, _counted(batch, keys, name)])
            counts[name] = both.group_by(*keys, _BIN).agg(pl.col(_N).sum())
    return counts


def _counted(batch: pl.DataFrame, keys: list[str], name: str) -> pl.DataFrame:
    value = pl.col(name)
    bins = pl.when(value > 0).then(value.log() / math.log(_GROWTH)).ceil()
    return (
        batch.filter(value.is_not_null())
        .group_by(*keys, bins.cast(pl.Int32).alias(_BIN))
        .agg(pl.len().cast(pl.Int64).alias(_N))
    )


def count() -> pl.Expr:
    """How many values the bins of a group hold."""
    return pl.col(_N).sum()


def at(rank: pl.Expr) -> pl.Expr:
    """The middle of the bin that holds a rank, from 0; null where there is no such."""
    # Null sorts first: it is a value of zero.
    passed = pl.col(_N).sort_by(_BIN).cum_sum() > rank
    reached = pl.col(_BIN).sort_by(_BIN).get(passed.arg_max(), null_on_oob=True)
    middle = 2 * pl.lit(_GROWTH).pow(reached) / (_GROWTH + 1)
    return pl.when((rank >= 0) & (rank < count())).then(middle.fill_null(0.0))

"""Queries over a whole log, run in memory that follows their answers and not its rows."""

import polars as pl

_APART = pl.QueryOptFlags(comm_subplan_elim=False)


def collected(query: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a query, read in pieces.

    What is read once for two uses would be kept whole, so it is read twice.

    >>> collected(pl.LazyFrame({"n": [1, 2]}).select(pl.col("n").sum())).item()
    3
    """
    return query.collect(engine="streaming", optimizations=_APART)

"""How many lengths of input, and times of day, at which a price changes were passed.

They are those of the price list alone, of every provider in it: a user's own prices go
by neither.
"""

import operator
from datetime import time
from functools import reduce

import polars as pl

from lectr_lab.analysis.pricing.priced import OURS
from lectr_lab.core.pricing.price_changes import list_changes


def lengths() -> list[int]:
    """The lengths of input above which a price changes.

    >>> 200_000 in lengths()
    True
    """
    return sorted(list_changes(others=True).input_tokens)


def times() -> list[time]:
    """The times of day (UTC) from which a price changes."""
    return sorted(list_changes(others=True).times)


def band(input_tokens: pl.Expr) -> pl.Expr:
    """How many of `lengths` a request is above; 0 where its input was not counted.

    >>> pl.select(band(pl.lit(1_000))).item()
    0
    """
    above = ((input_tokens > one).fill_null(False) for one in lengths())
    return reduce(operator.add, (one.cast(pl.Int8) for one in above))


def slot() -> pl.Expr:
    """How many of `times` had come when a request was sent; 0 where the provider's
    prices do not go by them."""
    by_time = ~pl.col("provider").is_in(OURS) | (pl.col("provider") == "azure")
    at = pl.col("started_at").dt.time()
    come = reduce(operator.add, ((at >= one).cast(pl.Int8) for one in times()))
    return pl.when(by_time).then(come).otherwise(0).cast(pl.Int8)

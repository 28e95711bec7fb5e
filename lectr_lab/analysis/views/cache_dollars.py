"""What each request would have cost with another cache: the very rows, priced again.

Only how the input was billed is changed, never how much of it there was: tokens that
would have been read are taken from those written to the cache, where it was written, else
from the plain ones.
"""

import polars as pl

from lectr_lab.analysis.pricing.otherwise import Counts, priced_otherwise
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.cache_misses import PARTS
from lectr_lab.core.pricing.price import PriceList

_READ, _WRITE, _WRITE_1H = (
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
)
_COUNTS = [_READ, _WRITE, _WRITE_1H, "cache_read_audio_tokens"]
_COSTS = ["cost_usd", "price_source", "plan_usd"]


def with_dollars(missed: pl.LazyFrame, prices: PriceList | None = None) -> pl.LazyFrame:
    """Rows with what they missed, and what that cost.

    Args:
        missed: what `with_misses` gives.
        prices: the user's own prices, which go before the list.

    Returns:
        The rows, with `saved_usd` (by the cache; below 0 where more was written than
        read), `lost_<part>_usd`, and `longer_saves_usd` and `longer_costs_usd`, of a
        longer time to live; null where no price is known, or it was the user's own and
        is not given here. At list price what a plan covers.
    """
    if not {*_COSTS} <= {*missed.collect_schema().names()}:
        missed = priced(missed, prices)
    none = {name: pl.when(pl.col(name).is_not_null()).then(0) for name in _COUNTS}
    scenes: dict[str, Counts] = {"_now": {}, "_without": none}
    fixed = pl.lit(0, pl.Int64)
    for part in PARTS:
        fixed = fixed + pl.col(f"missed_{part}")
        scenes[f"_{part}"] = _read_more(fixed)
    scenes["_longer"] = _read_more(pl.col("missed_longer"))
    scenes["_hourly"] = _hourly()
    before = ["_now", *(f"_{part}" for part in PARTS)]
    told = {
        "saved_usd": pl.col("_without") - pl.col("_now"),
        **{
            f"lost_{part}_usd": pl.col(one) - pl.col(f"_{part}")
            for one, part in zip(before, PARTS, strict=False)
        },
        "longer_saves_usd": pl.col("_now") - pl.col("_longer"),
        "longer_costs_usd": pl.col("_hourly") - pl.col("_longer"),
    }
    known = pl.col("price_source").ne_missing("user") | (prices is not None)
    costs = priced_otherwise(missed, scenes, prices).with_columns(
        pl.when(known).then(usd).alias(name) for name, usd in told.items()
    )
    return costs.drop(scenes)


def _read_more(tokens: pl.Expr) -> dict[str, pl.Expr]:
    """The counts, with so many more tokens read."""
    written = pl.col(_WRITE).fill_null(0)
    from_written = pl.min_horizontal(tokens, written)
    # What is kept for an hour stands before the rest, and is read first.
    hourly = (pl.col(_WRITE_1H) - from_written).clip(lower_bound=0)
    some = tokens > 0
    return {
        _READ: pl.when(some).then(pl.col(_READ).fill_null(0) + tokens).otherwise(_READ),
        _WRITE: pl.col(_WRITE) - from_written,
        _WRITE_1H: hourly,
    }


def _hourly() -> dict[str, pl.Expr]:
    """The counts, had all been written for longer, where that has a price of its own."""
    counts = _read_more(pl.col("missed_longer"))
    longer = (pl.col("longer_writes") == _WRITE_1H).fill_null(False)
    written = pl.when(longer).then(counts[_WRITE]).otherwise(counts[_WRITE_1H])
    return counts | {_WRITE_1H: written}

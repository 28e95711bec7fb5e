"""What each row of a log cost: the rule of `core/price.py`, said over columns.

Prices are looked up once per kind of request (provider, model, tier, period, time of
day and input length, as far as prices depend on them); the rest is whole-number
arithmetic in 1e-12 USD, divided once. So `cost_usd` is the float nearest to the exact price, for rows below 9,007 USD.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple

import polars as pl
from genai_prices.types import ModelPrice, TieredPrices

from lectr_lab.analysis.rows import model
from lectr_lab.core.price import (
    MOST_COUNTED,
    USAGE_KEYS,
    Asked,
    PriceList,
    change_days,
    find_price,
    list_changes,
)


class _Unit(NamedTuple):
    """How a count is billed: its price, what is billed apart, and how many a price buys."""

    price_key: str
    parts: tuple[str, ...] = ()
    per: int = 10**6


# Inner counts first: a part that has its own price is taken off the whole.
_UNITS = {
    "cache_read_audio_tokens": _Unit("cache_audio_read_mtok"),
    "cache_write_1h_tokens": _Unit("cache_write_1h_mtok"),
    "input_image_tokens": _Unit("input_image_mtok"),
    "reasoning_tokens": _Unit("output_reasoning_mtok"),
    "output_audio_tokens": _Unit("output_audio_mtok"),
    "output_image_tokens": _Unit("output_image_mtok"),
    "web_searches": _Unit("web_searches_kcount", per=10**3),
    "cache_read_tokens": _Unit("cache_read_mtok", ("cache_read_audio_tokens",)),
    "cache_write_tokens": _Unit("cache_write_mtok", ("cache_write_1h_tokens",)),
    "input_audio_tokens": _Unit("input_audio_mtok", ("cache_read_audio_tokens",)),
    "output_tokens": _Unit(
        "output_mtok",
        ("reasoning_tokens", "output_audio_tokens", "output_image_tokens"),
    ),
    "input_tokens": _Unit(
        "input_mtok",
        (
            "cache_read_audio_tokens",
            "cache_write_1h_tokens",
            "input_image_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "input_audio_tokens",
        ),
    ),
}

_PUSD_PER_USD = 10**12  # so that the price of one token is a whole number
_MOST_PUSD = 4 * 10**10  # times MOST_COUNTED stays within 64 bits
_LONG_AGO = date(2000, 1, 1)
_EPOCH = date(1970, 1, 1)
_CUTS = 10_000  # more than there are of any kind
_DAY_US = 86_400_000_000
_NAMES = ("provider", "model_actual", "service_tier")
_OWN_NAMES = Asked._fields[:-1]  # a user's price may fit any name of the model
_FACTS = (*Asked._fields, *USAGE_KEYS)
_PRICE_OF = {count: f"{count}_pusd" for count in _UNITS}
_TABLE = {
    "price_source": pl.String(),
    "pusd_per_usd": pl.Int64(),
    "has_cached_image_price": pl.Boolean(),
    **dict.fromkeys(_PRICE_OF.values(), pl.Int64()),
}
_PRICED = pl.Struct({"cost_usd": pl.Float64, "price_source": pl.String})

_Kind = tuple[Any, ...]  # the names that a price depends on, then the cut
_Prices = tuple[Any, ...]  # the values of _TABLE
_LookUp = Callable[[_Kind], _Prices | None]


class _Cuts(NamedTuple):
    """Where prices change: on these days and at these times of day (UTC), and above
    these input lengths. Each list is sorted."""

    days: list[date]
    times: list[time]
    input_tokens: list[int]


def priced(log: pl.LazyFrame, prices: PriceList | None = None) -> pl.LazyFrame:
    """The log with what each request cost.

    Args:
        log: events, one a row.
        prices: the user's own prices, which go before the list; see `read_prices`.

    Returns:
        The same rows, with `cost_usd` (null where it is not known, never 0 for that)
        and `price_source` ("user", "genai-prices" or null). A row without token counts,
        such as a failed request, has no cost and is not what `unpriced` counts.

    >>> from lectr_lab.log.schema import frame
    >>> priced(frame([]).lazy()).collect_schema().names()[-2:]
    ['cost_usd', 'price_source']
    """
    own = prices or ()
    changes = list_changes()
    cuts = _Cuts(change_days(own), sorted(changes.times), sorted(changes.input_tokens))
    # Batches are many, kinds of request few: each kind is looked up once.
    names = _OWN_NAMES if own else _NAMES
    look_up = cache(partial(_look_up, cuts=cuts, names=names, prices=own))
    cost = pl.struct(_FACTS).map_batches(
        partial(_price_rows, cuts=cuts, names=names, look_up=look_up),
        return_dtype=_PRICED,
        is_elementwise=True,
    )
    return log.with_columns(cost.struct.unnest())


def _price_rows(
    rows: pl.Series, cuts: _Cuts, names: tuple[str, ...], look_up: _LookUp
) -> pl.Series:
    facts = rows.struct.unnest()
    if names == _NAMES:  # the list goes by one name alone, and fewer tell kinds faster
        facts = facts.with_columns(model().alias("model_actual"))
    # Most counts are said by nobody: what a whole batch lacks takes no time.
    counts = [count for count in _UNITS if facts[count].null_count() < facts.height]
    cost = _cost_usd(counts)
    # A kind goes by the number of its first row: one number is joined faster than names.
    facts = facts.with_columns(cut=_cut(facts, cuts)).with_row_index("row")
    facts = facts.with_columns(pl.col("row").first().over(*names, "cut").alias("kind"))
    kinds = facts.filter(pl.col("row") == pl.col("kind")).select("kind", *names, "cut")
    found = [
        (row, *prices)
        for row, *kind in kinds.iter_rows()
        if (prices := look_up(tuple(kind))) is not None
    ]
    table = pl.DataFrame(found, {"kind": kinds["kind"].dtype, **_TABLE}, orient="row")
    needed = {"kind", "price_source", *cost.meta.root_names()}
    of_rows = facts.select("kind").join(
        table.select(name for name in table.columns if name in needed),
        on="kind",
        how="left",
        maintain_order="left",
    )
    return (
        pl.concat([facts.drop("kind"), of_rows], how="horizontal")
        .select(cost, "price_source")
        .to_struct(rows.name)
    )


def _cut(facts: pl.DataFrame, cuts: _Cuts) -> pl.Series:
    """How many days, times and lengths lie before each row, in one number."""
    us = facts["started_at"].dt.timestamp("us")
    lengths = facts["input_tokens"].cast(pl.Int64).fill_null(0)
    period = _passed([_us(day, time()) for day in cuts.days], us)
    slot = _passed([_us(_EPOCH, at) for at in cuts.times], us % _DAY_US)
    band = _passed([start + 1 for start in cuts.input_tokens], lengths)
    priced_by_time = (facts["provider"] == "azure").fill_null(False).cast(pl.Int64)
    return period * _CUTS**2 + slot * priced_by_time * _CUTS + band


def _passed(starts: list[int], values: pl.Series) -> pl.Series:
    """How many of the sorted starts each value has reached."""
    ends: list[Any] = [values.min(), values.max()]
    low, high = (bisect_right(starts, end or 0) for end in ends)
    # A batch mostly lies between two of them, and needs no search.
    within = pl.Series(starts[low:high], dtype=pl.Int64)
    return within.search_sorted(values, side="right").cast(pl.Int64) + low


def _us(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp()) * 1_000_000


def _look_up(
    kind: _Kind, cuts: _Cuts, names: tuple[str, ...], prices: PriceList
) -> _Prices | None:
    """The prices of one kind of request, in 1e-12 USD; None where none is known."""
    *values, cut = kind
    period, slot, band = cut // _CUTS**2, cut // _CUTS % _CUTS, cut % _CUTS
    named = dict.fromkeys(_OWN_NAMES) | dict(zip(names, values, strict=True))
    day = cuts.days[period - 1] if period else _LONG_AGO
    at = datetime.combine(day, cuts.times[slot - 1] if slot else time(), UTC)
    found = find_price(Asked(**named, started_at=at), prices)
    if found is None:
        return None
    input_tokens = cuts.input_tokens[band - 1] + 1 if band else 0
    pusd = [_pusd(found.price, unit, input_tokens) for unit in _UNITS.values()]
    if any(p is not None and (p > _MOST_PUSD or p % 1) for p in pusd):
        return None  # could not be exact; the list has no such price, a test says
    has_cached_images = found.price.cache_image_read_mtok is not None
    whole = (None if p is None else int(p) for p in pusd)
    return (found.source, _PUSD_PER_USD, has_cached_images, *whole)


def _pusd(price: ModelPrice, unit: _Unit, input_tokens: int) -> Decimal | None:
    usd = getattr(price, unit.price_key)
    if isinstance(usd, TieredPrices):
        # A tier's price holds for every token of a request that reaches it.
        reached = [tier.price for tier in usd.tiers if input_tokens > tier.start]
        usd = reached[-1] if reached else usd.base
    return None if usd is None else usd * _PUSD_PER_USD / unit.per


def _cost_usd(counts: list[str]) -> pl.Expr:
    """USD per row; null where input was not counted, or no price fits the counts.

    `counts` are those that any row has; a count that none has bills nothing.
    """
    if "input_tokens" not in counts:
        return pl.lit(None, pl.Float64).alias("cost_usd")
    billed = _billed(counts)
    pusd = pl.sum_horizontal(
        n * pl.col(_PRICE_OF[count]).fill_null(0) for count, n in billed.items()
    )
    believed = pl.all_horizontal(
        pl.col(count).fill_null(0).is_between(0, MOST_COUNTED) for count in counts
    )
    consistent = pl.all_horizontal(n >= 0 for n in billed.values())
    known = pl.col("price_source").is_not_null() & pl.col("input_tokens").is_not_null()
    # Polars multiplies by the reciprocal of a literal, which is not exact, and of a
    # column that it knows to be one value, as after a join with a single kind.
    usd = pusd / (pl.col("pusd_per_usd") + 0 * pusd)
    return (
        pl.when(known & believed & consistent & ~_is_ambiguous(counts))
        .then(usd)
        .alias("cost_usd")
    )


def _billed(counts: list[str]) -> dict[str, pl.Expr]:
    """Of each count, how many are billed at its own price."""
    billed: dict[str, pl.Expr] = {}
    for count in counts:
        own = pl.col(count).cast(pl.Int64).fill_null(0)
        for part in _UNITS[count].parts:
            own = own - billed.get(part, 0)
        billed[count] = pl.when(_has_price(count)).then(own).otherwise(0)
    return billed


def _has_price(count: str) -> pl.Expr:
    return pl.col(_PRICE_OF[count]).is_not_null()


def _is_ambiguous(counts: list[str]) -> pl.Expr:
    """Two prices may apply: a part was counted and its whole was not, or some input was
    cached and some was audio or images, and nobody said how much was both."""
    doubts = [
        pl.col(whole).is_null()
        & _has_price(whole)
        & pl.any_horizontal(_some(part) for part in unit.parts if part in counts)
        for whole, unit in _UNITS.items()
        if not set(unit.parts).isdisjoint(counts)
    ]
    if "cache_read_tokens" in counts:
        cached = _some("cache_read_tokens")
        not_said = pl.col("cache_read_audio_tokens").is_null()
        audio = _some("input_audio_tokens") & _has_price("cache_read_audio_tokens")
        images = _some("input_image_tokens") & pl.col("has_cached_image_price")
        doubts += [cached & audio & not_said, cached & images]
    return pl.any_horizontal(*doubts, pl.lit(False))


def _some(count: str) -> pl.Expr:
    return pl.col(count).fill_null(0) > 0

"""What each row of a log cost: the rule of `core/price.py`, said over columns.

Prices are looked up once per kind of request (provider, model, tier, period, time of
day and input length, as far as prices depend on them); the rest is whole-number arithmetic in 1e-12 USD, divided once. So
`cost_usd` is the float nearest to the exact price, for rows below 9,007 USD.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple

import polars as pl
from genai_prices.types import ModelPrice, TieredPrices

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
_DAY_US = 86_400_000_000
_KEYS = (*Asked._fields[:-1], "period", "slot", "band")
_FACTS = (*Asked._fields, *USAGE_KEYS)
_PRICE_OF = {count: f"{count}_pusd" for count in _UNITS}
_TABLE = {
    "price_source": pl.String(),
    "pusd_per_usd": pl.Int64(),
    "has_cached_image_price": pl.Boolean(),
    **dict.fromkeys(_PRICE_OF.values(), pl.Int64()),
}
_PRICED = pl.Struct({"cost_usd": pl.Float64, "price_source": pl.String})

_Kind = tuple[Any, ...]  # the values of _KEYS
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
    look_up = cache(partial(_look_up, cuts=cuts, prices=own))
    cost = pl.struct(_FACTS).map_batches(
        partial(_price_rows, cuts=cuts, look_up=look_up),
        return_dtype=_PRICED,
        is_elementwise=True,
    )
    return log.with_columns(cost.struct.unnest())


def _price_rows(rows: pl.Series, cuts: _Cuts, look_up: _LookUp) -> pl.Series:
    facts = _with_positions(rows.struct.unnest(), cuts)
    kinds = facts.select(_KEYS).unique()
    found = [
        (*kind, *prices)
        for kind in kinds.iter_rows()
        if (prices := look_up(kind)) is not None
    ]
    table = pl.DataFrame(found, {**kinds.schema, **_TABLE}, orient="row")
    return (
        facts.join(table, on=_KEYS, how="left", nulls_equal=True, maintain_order="left")
        .select(_cost_usd(), "price_source")
        .to_struct(rows.name)
    )


def _with_positions(facts: pl.DataFrame, cuts: _Cuts) -> pl.DataFrame:
    """Rows with `period`, `slot` and `band`: how many cuts lie before each."""
    us = facts["started_at"].dt.timestamp("us")
    days_us = pl.Series([_us(day, time()) for day in cuts.days], dtype=pl.Int64)
    times_us = pl.Series([_us(_EPOCH, at) for at in cuts.times], dtype=pl.Int64)
    lengths = facts["input_tokens"].cast(pl.Int64).fill_null(0)
    starts = pl.Series(cuts.input_tokens, dtype=pl.Int64)
    slot = times_us.search_sorted(us % _DAY_US, side="right")
    return facts.with_columns(
        period=days_us.search_sorted(us, side="right"),
        slot=pl.when(pl.col("provider") == "azure").then(slot).otherwise(0),
        band=starts.search_sorted(lengths, side="left"),
    )


def _us(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp()) * 1_000_000


def _look_up(kind: _Kind, cuts: _Cuts, prices: PriceList) -> _Prices | None:
    """The prices of one kind of request, in 1e-12 USD; None where none is known."""
    *names, period, slot, band = kind
    day = cuts.days[period - 1] if period else _LONG_AGO
    at = datetime.combine(day, cuts.times[slot - 1] if slot else time(), UTC)
    found = find_price(Asked._make([*names, at]), prices)
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


def _cost_usd() -> pl.Expr:
    """USD per row; null where input was not counted, or no price fits the counts."""
    billed = _billed()
    pusd = pl.sum_horizontal(
        n * pl.col(_PRICE_OF[count]).fill_null(0) for count, n in billed.items()
    )
    believed = pl.all_horizontal(
        pl.col(count).fill_null(0).is_between(0, MOST_COUNTED) for count in _UNITS
    )
    consistent = pl.all_horizontal(n >= 0 for n in billed.values())
    known = pl.col("price_source").is_not_null() & pl.col("input_tokens").is_not_null()
    # A column: polars multiplies by the reciprocal of a literal, which is not exact.
    usd = pusd / pl.col("pusd_per_usd")
    return (
        pl.when(known & believed & consistent & ~_is_ambiguous())
        .then(usd)
        .alias("cost_usd")
    )


def _billed() -> dict[str, pl.Expr]:
    """Of each count, how many are billed at its own price."""
    billed: dict[str, pl.Expr] = {}
    for count, unit in _UNITS.items():
        own = pl.col(count).cast(pl.Int64).fill_null(0)
        for part in unit.parts:
            own = own - billed[part]
        billed[count] = pl.when(_has_price(count)).then(own).otherwise(0)
    return billed


def _has_price(count: str) -> pl.Expr:
    return pl.col(_PRICE_OF[count]).is_not_null()


def _is_ambiguous() -> pl.Expr:
    """Two prices may apply: a part was counted and its whole was not, or some input was
    cached and some was audio or images, and nobody said how much was both."""
    no_whole = [
        pl.col(count).is_null()
        & _has_price(count)
        & pl.any_horizontal(map(_some, parts))
        for count, (_, parts, _) in _UNITS.items()
        if parts
    ]
    cached = _some("cache_read_tokens")
    not_said = pl.col("cache_read_audio_tokens").is_null()
    audio = _some("input_audio_tokens") & _has_price("cache_read_audio_tokens")
    images = _some("input_image_tokens") & pl.col("has_cached_image_price")
    return pl.any_horizontal(*no_whole, cached & audio & not_said, cached & images)


def _some(count: str) -> pl.Expr:
    return pl.col(count).fill_null(0) > 0

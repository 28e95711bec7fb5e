"""What each row of a log cost: the rule of `core/pricing/price.py`, said over columns.

Prices are looked up once per kind of request (provider, model, tier, place, period, time
of day and input length, as far as prices depend on them); `billing` does the arithmetic.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, partial, reduce
from random import SystemRandom
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.pricing import billing
from lectr_lab.analysis.views.money import PUSD_PER_USD
from lectr_lab.analysis.views.rows import covered_by_plan, model
from lectr_lab.core.pricing import ModelPrice, TieredPrices
from lectr_lab.core.pricing.price import (
    Found,
    PriceList,
    PriceQuery,
    cost_usd,
    find_price,
)
from lectr_lab.core.pricing.price_changes import change_days, list_changes
from lectr_lab.core.pricing.units import COUNTS, UNITS, Unit
from lectr_lab.core.registry import registry

_MOST_PUSD = 4 * 10**10  # times MOST_COUNTED stays within 64 bits
_LONG_AGO = date(2000, 1, 1)
_EPOCH = date(1970, 1, 1)
_CUTS = 10_000  # more than there are of any kind
_DAY_US = 86_400_000_000
_OURS = sorted(registry())
_NAMES = ("provider", "model_actual", "service_tier", "inference_geo")
# A user's price may fit any name of the model.
_OWN_NAMES = tuple(name for name in PriceQuery._fields if name != "started_at")
FACTS = (*PriceQuery._fields, *COUNTS, "cost_stated_usd")
_TABLE = {"price_source": pl.String(), **billing.SCHEMA}
_UNKNOWN = (None,) * (1 + len(_TABLE))
_PRICED = pl.Struct({"cost_usd": pl.Float64, "price_source": pl.String})

_Kind = tuple[Any, ...]  # the names that a price depends on, then the cut
_Prices = tuple[Any, ...]  # a price for _usd, where it needs that; those of _TABLE
LookUp = Callable[[_Kind], _Prices]
"""What is asked of each kind of request, once."""


class Cuts(NamedTuple):
    """Where prices change: on these days and at these times of day (UTC), and above
    these input lengths. Each list is sorted."""

    days: list[date]
    times: list[time]
    input_tokens: list[int]
    others: bool = False  # of providers, too, that only an imported log names


class Way(NamedTuple):
    """Where prices change, and the prices of a kind of request between two changes."""

    cuts: Cuts
    look_up: LookUp


def priced(log: pl.LazyFrame, prices: PriceList | None = None) -> pl.LazyFrame:
    """The log with what each request cost.

    Args:
        log: events, one a row.
        prices: the user's own prices, which go before the list; see `read_prices`.

    Returns:
        The same rows, with `cost_usd` (what is billed; null where it is not known, never
        0 for that), `price_source` ("user", "genai-prices" or null) and `plan_usd`: the
        list price of what a plan covered, whose `cost_usd` is 0, for nothing is billed
        beyond the plan. A row without token counts, such as a failed request, has no
        cost and is not what `unpriced` counts.

    >>> from lectr_lab.log.schema import frame
    >>> priced(frame([]).lazy()).collect_schema().names()[-3:]
    ['cost_usd', 'price_source', 'plan_usd']
    """
    names, ways = ways_of(prices or (), _look_up)
    cost = pl.struct(FACTS).map_batches(
        partial(_price_rows, names=names, ways=ways),
        return_dtype=_PRICED,
        is_elementwise=True,
    )
    return log.with_columns(cost.struct.unnest()).with_columns(*_by_plan())


def ways_of(
    own: PriceList, look_up: Callable[..., _Prices]
) -> tuple[tuple[str, ...], list[Way]]:
    """The names that prices go by, and the ways to tell kinds of request apart: of the
    providers that the registry names, and of others too.

    Args:
        own: the user's own prices.
        look_up: takes a kind, `cuts`, `names` and `prices`.
    """
    names = _OWN_NAMES if own else _NAMES
    return names, [
        # Batches are many, kinds of request few: each kind is looked up once.
        Way(cuts, cache(partial(look_up, cuts=cuts, names=names, prices=own)))
        for cuts in (_cuts(own, others=False), _cuts(own, others=True))
    ]


def _by_plan() -> list[pl.Expr]:
    """A plan is paid for by the month: what it covers has a list price and no bill."""
    covered, cost = covered_by_plan().fill_null(False), pl.col("cost_usd")
    counted = pl.col("input_tokens").is_not_null()
    return [
        pl.when(covered & counted).then(0.0).otherwise(cost).alias("cost_usd"),
        pl.when(covered).then(cost).alias("plan_usd"),
    ]


def _cuts(own: PriceList, *, others: bool) -> Cuts:
    changes = list_changes(others)
    lengths = sorted(changes.input_tokens)
    return Cuts(change_days(own, others), sorted(changes.times), lengths, others)


def looked_up(
    facts: pl.DataFrame, names: tuple[str, ...], ways: list[Way]
) -> tuple[pl.Series, list[_Prices]]:
    """Of each row the number of its kind, and of each kind what its way looks up."""
    if names == _NAMES:  # the list goes by one name alone, and fewer tell kinds faster
        facts = facts.with_columns(model().alias("model_actual"))
    usual, others = ways
    way, (kind, kinds) = usual, _kinds(facts, names, usual.cuts)
    if not kinds["provider"].is_in(_OURS).all():
        # With all that others' prices go by, telling kinds takes a quarter more time.
        way, (kind, kinds) = others, _kinds(facts, names, others.cuts)
    return kind, [way.look_up(named) for named in kinds.iter_rows()]


def _price_rows(rows: pl.Series, names: tuple[str, ...], ways: list[Way]) -> pl.Series:
    facts = rows.struct.unnest()
    kind, found = looked_up(facts, names, ways)
    of_kinds = pl.DataFrame([prices[1:] for prices in found], _TABLE, orient="row")
    cost = billing.cost_usd(facts, of_kinds, kind)
    for number, (price, *_) in enumerate(found):
        if price is not None:
            at = (kind == number).arg_true()
            counts = facts.select(*COUNTS)[at].iter_rows(named=True)
            cost = cost.scatter(at, [_usd(price, row) for row in counts])
    source = of_kinds["price_source"].gather(kind)
    stated = facts["cost_stated_usd"]
    if (stated > 0).any():  # then nothing counted was nothing said
        listed = source.is_in(["genai-prices", "documented"])
        denied = (cost == 0) & (stated > 0) & listed
        cost = pl.select(pl.when(~denied.fill_null(False)).then(cost)).to_series()
    return pl.DataFrame({"cost_usd": cost, "price_source": source}).to_struct(rows.name)


def _usd(price: Found, counts: dict[str, float | None]) -> float | None:
    usd = cost_usd(price, counts)
    return None if usd is None else float(usd)


def _kinds(
    facts: pl.DataFrame, names: tuple[str, ...], cuts: Cuts
) -> tuple[pl.Series, pl.DataFrame]:
    """Of each row the number of its kind, and of each kind its names and cut.

    Rows are told apart by 64 bits of a hash, in half the time of their names. Of 10^15
    batches with a hundred kinds, one would take two kinds for one; the next call, with
    another seed, would not.
    """
    seed = SystemRandom().getrandbits(62)
    cut = _cut(facts, cuts)
    told = [pl.col(name) for name in names if facts[name].null_count() < facts.height]
    hashes = [fact.hash(seed + i) for i, fact in enumerate([*told, pl.lit(cut)])]
    like = pl.col("row").first().over(reduce(operator.add, hashes)).alias("first")
    rows = facts.with_row_index("row").select("row", like)
    firsts = rows.filter(pl.col("row") == pl.col("first"))["row"]
    number = rows["row"].scatter(firsts, pl.int_range(firsts.len(), eager=True))
    of_kinds = cut.gather(firsts) if isinstance(cut, pl.Series) else cut
    return number.gather(rows["first"]), facts[firsts].select(*names, cut=of_kinds)


def _cut(facts: pl.DataFrame, cuts: Cuts) -> pl.Series | int:
    """How many days, times and lengths lie before each row, in one number."""
    us = facts["started_at"].dt.timestamp("us")
    period = _passed([_us(day, time()) for day in cuts.days], us)
    band = _passed([start + 1 for start in cuts.input_tokens], facts["input_tokens"])
    return period * _CUTS**2 + band + _slot(facts["provider"], us, cuts) * _CUTS


def _slot(provider: pl.Series, us: pl.Series, cuts: Cuts) -> pl.Series | int:
    """How many times of the day lie before each row, where prices go by them."""
    starts = [_us(_EPOCH, at) for at in cuts.times]
    if cuts.others:
        return _passed(starts, us % _DAY_US)
    by_time = (provider == "azure").fill_null(False)
    if not by_time.any():
        return 0
    slots = _passed(starts, us.filter(by_time) % _DAY_US)
    none = pl.Series([0]).new_from_index(0, us.len())
    return none.scatter(by_time.arg_true(), slots)


def _passed(starts: list[int], values: pl.Series) -> pl.Series | int:
    """How many of the sorted starts each value has reached."""
    ends: list[Any] = [values.min(), values.max()]
    low, high = (bisect_right(starts, end or 0) for end in ends)
    if low == high:  # a batch mostly lies between two of them, and needs no search
        return low
    within, numbers = pl.Series(starts[low:high]), values.cast(pl.Int64).fill_null(0)
    return within.search_sorted(numbers, side="right").cast(pl.Int64) + low


def _us(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp()) * 1_000_000


def price_of_kind(
    kind: _Kind, cuts: Cuts, names: tuple[str, ...], prices: PriceList
) -> tuple[Found | None, int]:
    """The price of one kind of request, and a length of input that its tiers go by."""
    *values, cut = kind
    period, slot, band = cut // _CUTS**2, cut // _CUTS % _CUTS, cut % _CUTS
    named = dict.fromkeys(_OWN_NAMES) | dict(zip(names, values, strict=True))
    day = cuts.days[period - 1] if period else _LONG_AGO
    at = datetime.combine(day, cuts.times[slot - 1] if slot else time(), UTC)
    found = find_price(PriceQuery(**named, started_at=at), prices)
    return found, cuts.input_tokens[band - 1] + 1 if band else 0


def _look_up(
    kind: _Kind, cuts: Cuts, names: tuple[str, ...], prices: PriceList
) -> _Prices:
    """The prices of one kind of request; nulls where none is known."""
    found, input_tokens = price_of_kind(kind, cuts, names, prices)
    if found is None:
        return _UNKNOWN
    pusd = {
        count: pusd_each(found.price, unit, input_tokens)
        for count, unit in billing.UNITS.items()
    }
    uneven = any(p is not None and (p > _MOST_PUSD or p % 1) for p in pusd.values())
    if uneven or _by_other_units(found):
        # Say, 0.0833333 a million; such rows are few, and priced one by one.
        return (found, found.source, *_UNKNOWN[2:])
    whole = {count: None if p is None else int(p) for count, p in pusd.items()}
    return (None, found.source, *billing.terms(found.price, whole, found.lacking))


def _by_other_units(found: Found) -> bool:
    """It is billed by more than tokens and searches, or by less."""
    others = found.usd.keys() | {
        count
        for count, unit in UNITS.items()
        if count not in billing.UNITS
        and unit.price_key is not None
        and getattr(found.price, unit.price_key) is not None
    }
    flat = found.flat_usd is not None or found.price.requests_kcount is not None
    return bool(others) or flat or found.free or not found.by_tokens


def pusd_each(price: ModelPrice, unit: Unit, input_tokens: int) -> Decimal | None:
    """The price of one of a unit, in 1e-12 USD; None where it has none of its own."""
    usd = getattr(price, unit.price_key or "")
    if isinstance(usd, TieredPrices):
        # A tier's price holds for every token of a request that reaches it.
        reached = [tier.price for tier in usd.tiers if input_tokens > tier.start]
        usd = reached[-1] if reached else usd.base
    return None if usd is None else usd * PUSD_PER_USD / unit.per

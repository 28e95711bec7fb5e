"""What each row of a log cost: the rule of `core/pricing/price.py`, said over columns.

Prices are looked up once per kind of request (provider, model, tier, place, period, time
of day and input length, as far as prices depend on them); `billing` does the arithmetic.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache, partial, reduce
from random import SystemRandom
from typing import Any, NamedTuple

import polars as pl

from lectr_lab.analysis.pricing import billing
from lectr_lab.analysis.pricing.linear import Linear, linear
from lectr_lab.analysis.pricing.token_ratio import (
    CHARS,
    ESTIMATES,
    length_of,
    per_char,
    prompt_bucket,
)
from lectr_lab.analysis.views.money import PUSD_PER_USD, share
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
_MOST_FOUND = 1 << 14
_PER_CHAR = per_char("input_tokens")
_EPOCH = date(1970, 1, 1)
MOST_CUTS = 10_000  # more than there are of any kind
_DAY_US = 86_400_000_000
OURS = sorted(registry())
"""Providers whose prices, but for Azure's, do not go by the time of day."""
LISTED = ("provider", "model_actual", "service_tier", "inference_geo")
"""What a list price goes by, beside time and length; `model_actual` stands for the name
that is first of all it has."""
OWN_NAMES = tuple(name for name in PriceQuery._fields if name != "started_at")
FACTS = (*PriceQuery._fields, *COUNTS, "cost_stated_usd")
TABLE = {"price_source": pl.String(), **billing.SCHEMA}
_UNKNOWN = (None,) * (1 + len(TABLE))
_PRICED = pl.Struct({"cost_usd": pl.Float64, "price_source": pl.String})

Kind = tuple[Any, ...]  # the names that a price depends on, then the cut
Prices = tuple[Any, ...]  # a KindPrice, where there is a price; those of TABLE
LookUp = Callable[[Kind], Prices]
"""What is asked of each kind of request, once."""


class Cuts(NamedTuple):
    """Where prices change: on these days and at these times of day (UTC), and above
    these input lengths. Each list is sorted."""

    days: list[date]
    times: list[time]
    input_tokens: list[int]
    others: bool = False  # of providers, too, that only an imported log names


class KindPrice(NamedTuple):
    """What a kind of request costs."""

    found: Found
    is_even: bool  # said whole by what stands beside it, in whole 1e-12 USD
    linear: Callable[[tuple[tuple[str, bool], ...]], Linear | None]
    """What `linear` says, by the counts that were told and whether they are above 0."""


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
    names, ways = ways_of(prices or (), look_up)
    beside = (*ESTIMATES, *CHARS.values())
    has_estimates = {*beside} <= {*log.collect_schema()}
    cost = pl.struct((*FACTS, *beside) if has_estimates else FACTS).map_batches(
        partial(_price_rows, names=names, ways=ways),
        return_dtype=_PRICED,
        is_elementwise=True,
    )
    return log.with_columns(cost.struct.unnest()).with_columns(*_by_plan())


def ways_of(
    own: PriceList, look_up: Callable[..., Prices]
) -> tuple[tuple[str, ...], list[Way]]:
    """The names that prices go by, and the ways to tell kinds of request apart: of the
    providers that the registry names, and of others too.

    Args:
        own: the user's own prices.
        look_up: takes a kind, `cuts`, `names` and `prices`.
    """
    names = OWN_NAMES if own else LISTED
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
) -> tuple[pl.Series, list[Prices]]:
    """Of each row the number of its kind, and of each kind what its way looks up."""
    if names == LISTED:  # the list goes by one name alone, and fewer tell kinds faster
        facts = facts.with_columns(model().alias("model_actual"))
    usual, others = ways
    way, (kind, kinds) = usual, _kinds(facts, names, usual.cuts)
    if not kinds["provider"].is_in(OURS).all():
        # With all that others' prices go by, telling kinds takes a quarter more time.
        way, (kind, kinds) = others, _kinds(facts, names, others.cuts)
    return kind, [way.look_up(named) for named in kinds.iter_rows()]


def _price_rows(rows: pl.Series, names: tuple[str, ...], ways: list[Way]) -> pl.Series:
    facts = rows.struct.unnest()
    cost, source = costs_of(facts, *looked_up(facts, names, ways))
    return pl.DataFrame({"cost_usd": cost, "price_source": source}).to_struct(rows.name)


def costs_of(
    facts: pl.DataFrame, kind: pl.Series, found: list[Prices]
) -> tuple[pl.Series, pl.Series]:
    """What each row costs at list price, and who says so; takes what `looked_up` gave."""
    of_kinds = pl.DataFrame([prices[1:] for prices in found], TABLE, orient="row")
    cost = billing.cost_usd(facts, of_kinds, kind)
    uneven = [n for n, (price, *_) in enumerate(found) if price and not price.is_even]
    if uneven:
        at = kind.is_in(uneven).arg_true()
        counts = facts.select(*COUNTS)[at].iter_rows(named=True)
        prices = (found[number][0].found for number in kind[at])
        cost = cost.scatter(at, [*map(_usd, prices, counts)])
    if _PER_CHAR in facts.columns:
        at = facts[_PER_CHAR].is_not_null().arg_true()
        if at.len():
            pusd = estimated_pusd(facts[at].with_columns(rows=1), kind[at], found)
            usd = share(pl.lit(pusd), pl.lit(PUSD_PER_USD, pl.Int128))
            cost = cost.scatter(at, pl.select(usd).to_series())
    source = of_kinds["price_source"].gather(kind)
    stated = facts["cost_stated_usd"]
    if (stated > 0).any():  # then nothing counted was nothing said
        listed = pl.lit(source).is_in(["genai-prices", "documented"])
        denied = (pl.lit(cost) == 0) & (pl.lit(stated) > 0) & listed
        cost = pl.select(pl.when(~denied.fill_null(False)).then(cost)).to_series()
    return cost, source


def estimated_pusd(
    facts: pl.DataFrame, kind: pl.Series, found: list[Prices]
) -> pl.Series:
    """What tokens that are estimates cost, by their characters; 1e-12 USD, Int128.

    A character costs a whole number of them, so that sums of characters cost what
    theirs do.

    Args:
        facts: `rows` (how many each stands for), `ESTIMATES` and `CHARS`.
        kind: of each, the number of what was found.
        found: what `look_up` gave of each kind.
    """
    some = [(pl.col(chars) > 0).alias(f"some_{chars}") for chars in CHARS.values()]
    by = facts.select(kind.alias("kind"), *some, *ESTIMATES)
    kinds = by.unique(maintain_order=True)
    billed = [
        _per_char_pusd(found[number][0], *of) for number, *of in kinds.iter_rows()
    ]
    names = ["flat", *(f"{chars}_each" for chars in CHARS.values())]
    schema = dict.fromkeys(names, pl.Int128())
    prices = kinds.hstack(pl.DataFrame(billed, schema, orient="row"))
    of_rows = by.join(prices, on=by.columns, how="left", maintain_order="left")
    pusd = pl.col("flat") * facts["rows"].cast(pl.Int128)
    for chars in CHARS.values():
        pusd += pl.col(f"{chars}_each") * facts[chars].cast(pl.Int128)
    return of_rows.select(pusd.alias("pusd")).to_series()


def _per_char_pusd(
    price: KindPrice | None, some_in: bool, some_out: bool, of_in: float, of_out: float
) -> tuple[int | None, ...]:
    per = dict(zip(CHARS, (of_in, of_out), strict=True))
    some = dict(
        zip(CHARS, (some_in and of_in > 0, some_out and of_out > 0), strict=True)
    )
    billed = None if price is None else price.linear(tuple(some.items()))
    if billed is None:
        return None, None, None
    each = (billed.each_pusd[name] * Decimal(repr(n)) for name, n in per.items())
    return round(billed.flat_pusd), *map(round, each)


def _usd(price: Found, counts: dict[str, float | None]) -> float | None:
    usd = cost_usd(price, counts)
    return None if usd is None else float(usd)


def _kinds(
    facts: pl.DataFrame, names: tuple[str, ...], cuts: Cuts
) -> tuple[pl.Series, pl.DataFrame]:
    return told_apart(facts, names, _cut(facts, cuts))


def told_apart(
    facts: pl.DataFrame, names: tuple[str, ...], cut: pl.Series | int
) -> tuple[pl.Series, pl.DataFrame]:
    """Of each row the number of its kind, and of each kind its names and cut.

    Rows are told apart by 64 bits of a hash, in half the time of their names. Of 10^15
    batches with a hundred kinds, one would take two kinds for one; the next call, with
    another seed, would not.
    """
    seed = SystemRandom().getrandbits(62)
    told = [pl.col(name) for name in names if facts[name].null_count() < facts.height]
    hashes = [fact.hash(seed + i) for i, fact in enumerate([*told, pl.lit(cut)])]
    like = pl.col("row").first().over(reduce(operator.add, hashes)).alias("first")
    rows = facts.with_row_index("row").select("row", like)
    is_first = pl.col("row") == pl.col("first")
    number = rows.select((is_first.cum_sum() - 1).gather("first")).to_series()
    firsts = rows.select(is_first.arg_true()).to_series()
    of_kinds = cut.gather(firsts) if isinstance(cut, pl.Series) else cut
    return number, facts[firsts].select(*names, cut=of_kinds)


def _cut(facts: pl.DataFrame, cuts: Cuts) -> pl.Series | int:
    """How many days, times and lengths lie before each row, in one number."""
    us, length = pl.col("started_at").dt.timestamp("us"), pl.col("input_tokens")
    if _PER_CHAR in facts.columns and facts[_PER_CHAR].count():
        length = pl.coalesce(length_of(prompt_bucket(), pl.col(_PER_CHAR)), length)
    by_time = pl.lit(True) if cuts.others else pl.col("provider") == "azure"
    of_day = pl.when(by_time).then(us % _DAY_US).otherwise(-1)  # before any time
    values = facts.select(us.alias("us"), of_day.alias("of_day"), length.alias("n"))
    period = _passed([_us(day, time()) for day in cuts.days], values["us"])
    slot = _passed([_us(_EPOCH, at) for at in cuts.times], values["of_day"])
    band = _passed([start + 1 for start in cuts.input_tokens], values["n"])
    return period * MOST_CUTS**2 + slot * MOST_CUTS + band


def _passed(starts: list[int], values: pl.Series) -> pl.Series | int:
    """How many of the sorted starts each value has reached."""
    ends: list[Any] = [values.min(), values.max()]
    low, high = (bisect_right(starts, end or 0) for end in ends)
    if low == high:  # a batch mostly lies between two of them, and needs no search
        return low
    within, number = pl.lit(pl.Series(starts[low:high])), pl.lit(values).cast(pl.Int64)
    passed = within.search_sorted(number.fill_null(0), side="right")
    return pl.select(passed.cast(pl.Int64) + low).to_series()


def _us(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp()) * 1_000_000


def price_of_kind(
    kind: Kind, cuts: Cuts, names: tuple[str, ...], prices: PriceList
) -> tuple[Found | None, int]:
    """The price of one kind of request, and a length of input that its tiers go by."""
    *values, cut = kind
    period, slot, band = (
        cut // MOST_CUTS**2,
        cut // MOST_CUTS % MOST_CUTS,
        cut % MOST_CUTS,
    )
    named = dict.fromkeys(OWN_NAMES) | dict(zip(names, values, strict=True))
    day = cuts.days[period - 1] if period else _LONG_AGO
    at = datetime.combine(day, cuts.times[slot - 1] if slot else time(), UTC)
    found = _find(PriceQuery(**named, started_at=at), prices)
    return found, cuts.input_tokens[band - 1] + 1 if band else 0


@lru_cache(_MOST_FOUND)
def _find(query: PriceQuery, prices: PriceList) -> Found | None:
    return find_price(query, prices)


def look_up(
    kind: Kind, cuts: Cuts, names: tuple[str, ...], prices: PriceList
) -> Prices:
    """The prices of one kind of request; nulls where none is known."""
    found, input_tokens = price_of_kind(kind, cuts, names, prices)
    if found is None:
        return _UNKNOWN
    # Most prices outlast most changes of a list: what follows is worked out once.
    tiered = any(isinstance(usd, TieredPrices) for usd in vars(found.price).values())
    return _terms(_Alike(found), input_tokens if tiered else 0)


class _Alike:
    """A price, to be told by what it says: two of one text are one."""

    def __init__(self, found: Found) -> None:
        self.found, self._says = found, repr(found)

    def __hash__(self) -> int:
        return hash(self._says)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and self._says == other._says


@lru_cache(_MOST_FOUND)
def _terms(alike: _Alike, input_tokens: int) -> Prices:
    found = alike.found
    pusd = {
        count: pusd_each(found.price, unit, input_tokens)
        for count, unit in billing.UNITS.items()
    }
    uneven = any(p is not None and (p > _MOST_PUSD or p % 1) for p in pusd.values())
    is_even = not (uneven or _by_other_units(found))
    told = cache(lambda counts: linear(found, input_tokens, dict(counts)))
    price = KindPrice(found, is_even, told)
    if not is_even:  # such rows are few, and priced one by one
        return (price, found.source, *_UNKNOWN[2:])
    whole = {count: None if p is None else int(p) for count, p in pusd.items()}
    return (price, found.source, *billing.terms(found.price, whole, found.lacking))


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

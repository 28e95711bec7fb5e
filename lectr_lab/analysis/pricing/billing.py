"""What counts cost at known prices, over columns, exactly.

All is whole-number arithmetic in 1e-12 USD, divided once: a cost is the float nearest
to the exact one, for rows below 9,007 USD.
"""

from collections.abc import Set as AbstractSet

import polars as pl

from lectr_lab.analysis.views.money import PUSD_PER_USD
from lectr_lab.core.pricing import ModelPrice, units
from lectr_lab.core.pricing.price import MOST_COUNTED

_BESIDE = ("web_searches",)
UNITS = {name: units.UNITS[name] for name in (*_BESIDE, *units.TOKENS)}
"""What is billed here, parts before their wholes; other units are few, and billed one
by one. A part that has its own price is taken off the whole."""

_PRICE_OF = {count: f"{count}_pusd" for count in UNITS}
RATE_OF = {count: f"{count}_rate" for count in UNITS}
LACKS = {count: f"{count}_lacks" for count in units.COUNTS}
"""Whether a count has no price, and what one more of it adds: columns of `SCHEMA`."""
_HAS_CACHED_IMAGES = "has_cached_image_price"

Pusd = dict[str, int | None]
"""Of each count its price, in 1e-12 USD; None where it has none of its own."""

SCHEMA = {
    **dict.fromkeys(LACKS.values(), pl.Boolean()),
    _HAS_CACHED_IMAGES: pl.Boolean(),
    **dict.fromkeys([*_PRICE_OF.values(), *RATE_OF.values()], pl.Int64()),
}


def terms(
    price: ModelPrice, pusd: Pusd, lacking: AbstractSet[str] = frozenset()
) -> tuple[int | bool | None, ...]:
    """What a kind of request is billed by: the values of `SCHEMA`.

    Args:
        price: the list's, for what is not said by the next.
        pusd: the prices of `UNITS`.
        lacking: counts that there is no price for; where one is above 0, the cost is
            not known.
    """
    has_cached_images = price.cache_image_read_mtok is not None
    rates = _rates(pusd)
    return (
        *(count in lacking for count in LACKS),
        has_cached_images,
        *(pusd[count] for count in _PRICE_OF),
        *(rates[count] for count in RATE_OF),
    )


def _rates(pusd: Pusd) -> dict[str, int]:
    """What one more of a count adds: its price, less what it adds to its wholes."""
    rates: dict[str, int] = {}
    for count in reversed(UNITS):
        own = pusd[count]
        wholes = (rates[whole] for whole in rates if count in UNITS[whole].parts)
        rates[count] = 0 if own is None else own - sum(wholes)
    return rates


def cost_usd(facts: pl.DataFrame, of_kinds: pl.DataFrame, kind: pl.Series) -> pl.Series:
    """USD per row; null where input was not counted, or no price fits the counts.

    Args:
        facts: the counts of each row; columns that nobody wrote may be left out.
        of_kinds: the columns of `SCHEMA`; null where no price is known.
        kind: of each row, the number of its row in `of_kinds`.
    """
    # Most counts are said by nobody: what a whole batch lacks takes no time.
    counts = [count for count in UNITS if facts[count].null_count() < facts.height]
    if "input_tokens" not in counts:
        return pl.repeat(None, facts.height, dtype=pl.Float64, eager=True)
    pusd = _pusd(_added_up(counts), facts, of_kinds, kind)
    odd = doubts(facts, counts)
    if odd:
        doubtful = facts.select(pl.any_horizontal(odd).fill_null(False)).to_series()
        rows, of_rows = facts.filter(doubtful), kind.filter(doubtful)
        told = _pusd(_one_by_one(counts), rows, of_kinds, of_rows)
        pusd = pusd.scatter(doubtful.arg_true(), told)
    unknown = _unknown(facts, of_kinds, kind)
    if unknown is not None:
        pusd = pl.select(pl.when(~unknown).then(pusd)).to_series()
    # By a scalar polars multiplies its reciprocal, which is not exact.
    return pusd / pl.Series([PUSD_PER_USD]).new_from_index(0, pusd.len())


def _unknown(
    facts: pl.DataFrame, of_kinds: pl.DataFrame, kind: pl.Series
) -> pl.Series | None:
    """The rows in which something was used that has no price; None: in no row."""
    said = [n for n in LACKS if n in facts and facts[n].null_count() < facts.height]
    lacks = {n: of_kinds[LACKS[n]] for n in said}
    doubts = [~pl.col(n).is_between(0, MOST_COUNTED) for n in said if n not in UNITS]
    doubts += [
        (pl.col(n) > 0) & pl.lit(of.gather(kind)) for n, of in lacks.items() if of.any()
    ]
    if not doubts:
        return None
    unknown = pl.any_horizontal(one.fill_null(False) for one in doubts)
    return facts.select(unknown).to_series()


def _pusd(
    cost: pl.Expr, facts: pl.DataFrame, of_kinds: pl.DataFrame, kind: pl.Series
) -> pl.Series:
    needed = set(cost.meta.root_names())
    of_rows = of_kinds.select(c for c in of_kinds.columns if c in needed)[kind]
    return facts.hstack(of_rows.get_columns()).select(cost).to_series()


def _added_up(counts: list[str]) -> pl.Expr:
    """The cost of rows whose counts are in no doubt: each count times its rate."""
    pusd = pl.col("input_tokens").cast(pl.Int64) * pl.col(RATE_OF["input_tokens"])
    for count in counts:
        if count != "input_tokens":
            pusd += _number(count) * pl.col(RATE_OF[count])
    return pusd


def doubts(facts: pl.DataFrame, counts: list[str]) -> list[pl.Expr]:
    """What no price may fit, where any row has it: counts beyond belief, parts above
    their whole (or without one), cached input beside audio or images.

    Args:
        facts: counts, a row each.
        counts: those of `UNITS` that any row has.
    """
    found = [~pl.col(count).is_between(0, MOST_COUNTED) for count in counts]
    for whole, unit in UNITS.items():
        parts = [_number(part) for part in _outer(unit.parts) if part in counts]
        if parts:
            found.append(pl.sum_horizontal(parts) > _number(whole))
    others = {"input_audio_tokens", "input_image_tokens"}.intersection(counts)
    if "cache_read_tokens" in counts and others:
        found.append(_some("cache_read_tokens") & pl.any_horizontal(map(_some, others)))
    if not found:
        return []
    any_row = facts.select(doubt.any().alias(str(i)) for i, doubt in enumerate(found))
    return [doubt for doubt, some in zip(found, any_row.row(0), strict=True) if some]


def _outer(parts: tuple[str, ...]) -> list[str]:
    """The parts that are not within another of them."""
    return [p for p in parts if not any(p in UNITS[other].parts for other in parts)]


def _one_by_one(counts: list[str]) -> pl.Expr:
    """The cost of any row; null where its counts contradict each other at its prices."""
    billed = _billed(counts)
    pusd = pl.sum_horizontal(
        n * pl.col(_PRICE_OF[count]).fill_null(0) for count, n in billed.items()
    )
    believed = pl.all_horizontal(
        pl.col(count).fill_null(0).is_between(0, MOST_COUNTED) for count in counts
    )
    consistent = pl.all_horizontal(n >= 0 for n in billed.values())
    known = pl.col(_HAS_CACHED_IMAGES).is_not_null()
    counted = pl.col("input_tokens").is_not_null()
    fits = known & counted & believed & consistent & ~_is_ambiguous(counts)
    return pl.when(fits).then(pusd)


def _billed(counts: list[str]) -> dict[str, pl.Expr]:
    """Of each count, how many are billed at its own price."""
    billed: dict[str, pl.Expr] = {}
    for count in counts:
        own = _number(count)
        for part in UNITS[count].parts:
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
        for whole, unit in UNITS.items()
        if not set(unit.parts).isdisjoint(counts)
    ]
    if "cache_read_tokens" in counts:
        cached = _some("cache_read_tokens")
        not_said = pl.col("cache_read_audio_tokens").is_null()
        audio = _some("input_audio_tokens") & _has_price("cache_read_audio_tokens")
        images = _some("input_image_tokens") & pl.col(_HAS_CACHED_IMAGES)
        doubts += [cached & audio & not_said, cached & images]
    return pl.any_horizontal(*doubts, pl.lit(False))


def _number(count: str) -> pl.Expr:
    return pl.col(count).cast(pl.Int64).fill_null(0)


def _some(count: str) -> pl.Expr:
    return pl.col(count).fill_null(0) > 0

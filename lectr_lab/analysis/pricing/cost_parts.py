"""What each request's cost is made of: its prompt, by what a cache had of it, its answer,
and what is billed by other units.

The parts sum to `cost_usd` as the log has it: what is neither read from a cache, nor
written to it, nor an answer, nor another unit, is plain prompt.
"""

from functools import partial, reduce
from operator import add
from typing import Any

import polars as pl

from lectr_lab.analysis.pricing.priced import (
    FACTS,
    Cuts,
    Way,
    looked_up,
    price_of_kind,
    pusd_each,
    ways_of,
)
from lectr_lab.analysis.views.money import PUSD_PER_USD
from lectr_lab.core.pricing.price import Found, PriceList
from lectr_lab.core.pricing.units import UNITS

PARTS = ("input_usd", "cache_read_usd", "cache_write_usd", "output_usd", "other_usd")

# What has no price of its own is billed as what it is part of.
_BILLED_AS = {
    "cache_read_tokens": ("cache_read_tokens", "input_tokens"),
    "cache_read_audio_tokens": (
        "cache_read_audio_tokens",
        "cache_read_tokens",
        "input_tokens",
    ),
    "cache_write_tokens": ("cache_write_tokens", "input_tokens"),
    "cache_write_1h_tokens": (
        "cache_write_1h_tokens",
        "cache_write_tokens",
        "input_tokens",
    ),
    "output_tokens": ("output_tokens",),
    "reasoning_tokens": ("reasoning_tokens", "output_tokens"),
    "output_audio_tokens": ("output_audio_tokens", "output_tokens"),
    "output_image_tokens": ("output_image_tokens", "output_tokens"),
}
_WHOLES = {
    "cache_read_usd": "cache_read_tokens",
    "cache_write_usd": "cache_write_tokens",
    "output_usd": "output_tokens",
}
_APART = tuple(name for name, unit in UNITS.items() if unit.apart)
_TABLE = dict.fromkeys([*_BILLED_AS, *_APART, "requests"], pl.Float64())
_RETURNED = pl.Struct(dict.fromkeys(PARTS, pl.Float64()))


def with_cost_parts(log: pl.LazyFrame, prices: PriceList | None = None) -> pl.LazyFrame:
    """The rows of a log, with the parts of what each cost.

    Args:
        log: events with `cost_usd` and `price_source`, as `scan` gives them.
        prices: the user's own prices, which go before the list.

    Returns:
        The same rows with `PARTS`, in US dollars, which sum to `cost_usd`; null where
        that is. All of the cost is `other_usd` where it is not known by which prices it
        was counted: the user's own, which are not given here.

    >>> from lectr_lab.analysis.scan import demo_log
    >>> one = with_cost_parts(demo_log().head(1)).select("cost_usd", *PARTS).collect()
    >>> abs(one["cost_usd"][0] - sum(one.row(0)[1:])) < 1e-12
    True
    """
    names, ways = ways_of(prices or (), _unit_prices)
    parts = pl.struct(*FACTS, "cost_usd", "price_source").map_batches(
        partial(_parts, names=names, ways=ways, told=prices is not None),
        return_dtype=_RETURNED,
        is_elementwise=True,
    )
    return log.with_columns(parts.struct.unnest())


def _parts(
    rows: pl.Series, names: tuple[str, ...], ways: list[Way], told: bool
) -> pl.Series:
    facts = rows.struct.unnest()
    kind, found = looked_up(facts, names, ways)
    of_kinds = pl.DataFrame(found, _TABLE, orient="row").select(
        pl.all().name.prefix("_")
    )
    known = facts.hstack(of_kinds[kind].get_columns())
    others = {name: _billed(name, whole) for name, whole in _WHOLES.items()}
    apart = [_number(name) * pl.col(f"_{name}") for name in _APART]
    others["other_usd"] = reduce(add, apart, pl.col("_requests"))
    cost = pl.col("cost_usd")
    by_user = (pl.col("price_source") == "user").fill_null(False) & (not told)
    # A plan's cost is 0 though its counts have a price.
    unknown = by_user | pl.col("_output_tokens").is_null() | (cost == 0)
    split = known.select(
        cost,
        *(
            pl.when(cost.is_null())
            .then(None)
            .when(unknown)
            .then(cost if name == "other_usd" else 0.0)
            .otherwise(usd)
            .alias(name)
            for name, usd in others.items()
        ),
    )
    plain = cost - pl.sum_horizontal([*others])
    return split.select(plain.alias("input_usd"), *others).to_struct(rows.name)


def _billed(name: str, whole: str) -> pl.Expr:
    """A whole at its price, its parts at theirs."""
    parts = [part for part in UNITS[whole].parts if part in _BILLED_AS]
    rest = reduce(lambda left, part: left - _number(part), parts, _number(whole))
    # Of what was not counted as a whole nothing is taken off.
    priced = rest.clip(lower_bound=0) * pl.col(f"_{whole}")
    return reduce(add, (_number(p) * pl.col(f"_{p}") for p in parts), priced).alias(
        name
    )


def _number(count: str) -> pl.Expr:
    return pl.col(count).cast(pl.Float64).fill_null(0)


def _unit_prices(
    kind: tuple[Any, ...], cuts: Cuts, names: tuple[str, ...], prices: PriceList
) -> tuple[float | None, ...]:
    """USD for one of each count of `_TABLE`, of one kind of request; nulls where no
    price is known."""
    found, input_tokens = price_of_kind(kind, cuts, names, prices)
    if found is None:
        return (None,) * len(_TABLE)
    own = {name: _usd_each(found, name, input_tokens) for name in UNITS}
    tokens = (
        next((usd for name in billed_as if (usd := own[name]) is not None), 0.0)
        for billed_as in _BILLED_AS.values()
    )
    if found.flat_usd is not None:
        return (*tokens, *(0.0 for _ in _APART), float(found.flat_usd))
    each: Any = found.price.requests_kcount
    call = float(getattr(each, "base", each) or 0) / 1_000
    return (*tokens, *(own[name] or 0.0 for name in _APART), call)


def _usd_each(found: Found, count: str, input_tokens: int) -> float | None:
    if count in found.usd:
        return float(found.usd[count])
    unit = UNITS[count]
    if unit.price_key is None:
        return None
    pusd = pusd_each(found.price, unit, input_tokens)
    return None if pusd is None else float(pusd) / PUSD_PER_USD

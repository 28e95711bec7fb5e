"""What cells of a log cost: their sums at the prices of their kind, exactly.

Within a cell all rows have one price, or none (`cells/facts.py`), so a cell costs what
its rows cost together. Prices are looked up once for each kind of request, as for rows
(`priced.py`), and a change of prices changes no cell.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache, partial, reduce
from operator import add, or_

import polars as pl

from lectr_lab.analysis.cells.facts import COSTS
from lectr_lab.analysis.pricing.bands import band
from lectr_lab.analysis.pricing.billing import LACKS, RATE_OF
from lectr_lab.analysis.pricing.priced import (
    LISTED,
    MOST_CUTS,
    TABLE,
    Kind,
    KindPrice,
    LookUp,
    Prices,
    Way,
    estimated_pusd,
    look_up,
    told_apart,
    ways_of,
)
from lectr_lab.analysis.pricing.token_ratio import (
    CHARS,
    ESTIMATES,
    estimate,
    length_of,
    per_char,
)
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.money import PUSD_PER_USD, share
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.units import COUNTS

_PUSD = pl.Int128()
_FLAT = "flat_pusd"

ON_DAY = "on_day_pusd"
"""What cells would have cost on another day, in whole 1e-12 USD."""


def costed(
    told: pl.LazyFrame, prices: PriceList | None, on: date | None = None
) -> pl.LazyFrame:
    """What cells that have their estimates cost: at other prices, or as of other models.

    Args:
        told: cells with `ESTIMATES`, and `band` and `slot` by which they are priced.
        prices: the user's own, which go before the list.
        on: a day; what they would cost on it is told in `ON_DAY`, last of all.

    Returns:
        The same cells with `COSTS`, in place of any that they had. Costs are null where
        they are not known of their rows; else cells cost what their rows do, to the last
        1e-12 USD.

    >>> from lectr_lab.analysis.cells.facts import facts
    >>> from lectr_lab.analysis.pricing.token_ratio import ratios, reported
    >>> from lectr_lab.log.schema import frame
    >>> none = frame([])
    >>> per_model = ratios(reported(none.lazy())).collect()
    >>> costed(with_estimates(facts(none).sums.lazy(), per_model), ()).collect().height
    0
    """
    had = told.collect_schema().names()
    told = told.drop(
        n for n in (*COSTS, ON_DAY) if n in had and n != "cost_stated_pusd"
    )
    found = dict(told.collect_schema())
    found.pop("cost_stated_pusd")  # it comes again, among the costs
    beside: dict[str, pl.DataType] = {} if on is None else {ON_DAY: _PUSD}
    return told.map_batches(
        partial(_priced, prices=prices or (), on=on),
        schema=pl.Schema(found | COSTS | beside),
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        streamable=True,  # a cell's price is its own
    )


def with_estimates(cells: pl.LazyFrame, ratios: pl.DataFrame) -> pl.LazyFrame:
    """Cells, the silent streams with their tokens, and the band that these are of.

    Args:
        cells: as `facts` and `added` give them.
        ratios: tokens per character of each model (`token_ratio.ratios`).
    """
    learned = ratios.drop_nulls("_model")
    silent = pl.when(pl.col("bucket").is_not_null()).then(rows.model())
    of = {
        # Few cells need one, and who does not ask for tokens looks none up.
        n: silent.replace_strict(learned["_model"], learned[n], default=None).alias(n)
        for n in ESTIMATES
    }
    guessed = pl.col(per_char("input_tokens"))
    known = pl.when(guessed.is_not_null())
    length = length_of(pl.col("bucket"), guessed)
    return (
        cells.with_columns(of.values())
        .with_columns(known.then(n).alias(n) for n in ESTIMATES)
        .with_columns(
            *(known.then(estimate(name)).otherwise(name).alias(name) for name in CHARS),
            known.then(pl.lit("ratio")).otherwise("token_source").alias("token_source"),
            known.then(band(length)).otherwise("band").alias("band"),
        )
    )


def _priced(cells: pl.DataFrame, prices: PriceList, on: date | None) -> pl.DataFrame:
    kind, kinds, look_up = _kinds(cells, prices)
    found = [look_up(one) for one in kinds]
    costs = _costs(cells, kind, found)
    if on is None:
        return costs
    period = int(_period(pl.Series([on]), _way(prices)[1]).item()) * MOST_CUTS**2
    # At the same time of day and length of input.
    later = [look_up((*of, period + cut % MOST_CUTS**2)) for *of, cut in kinds]
    # Most kinds cost what they did: the same prices are looked up.
    others = [n for n, then in enumerate(found) if later[n] is not then]
    at = kind.is_in(others).arg_true()
    of_others = _costs(cells[at], kind[at], later)["cost_pusd"]
    return costs.with_columns(costs["cost_pusd"].scatter(at, of_others).alias(ON_DAY))


def _costs(cells: pl.DataFrame, kind: pl.Series, found: list[Prices]) -> pl.DataFrame:
    """Cells with `COSTS`, at the prices that were found of their kinds."""
    kind, found = _told_once(kind, found)
    table = pl.DataFrame([one[1:] for one in found], TABLE, orient="row")
    cost = _of_sums(cells, table, kind)
    guessed = cells[per_char("input_tokens")].is_not_null()
    if guessed.any():
        at = guessed.arg_true()
        some = cells.select("rows", *ESTIMATES, *CHARS.values())[at]
        cost = cost.scatter(at, estimated_pusd(some, kind[at], found))
    uneven = [n for n, (price, *_) in enumerate(found) if price and not price.is_even]
    others = kind.is_in(uneven) & ~guessed
    if others.any():
        at = others.arg_true()
        cost = cost.scatter(at, _by_shape(cells[at], kind[at], found))
    kept = cells.drop("cost_stated_pusd").columns
    priced = cells.with_columns(
        cost.alias("cost_pusd"),
        table["price_source"].gather(kind),
        pl.col("cost_stated_pusd").cast(_PUSD),
    )
    if (cells["cost_stated_pusd"] > 0).any():
        priced = priced.with_columns(_undenied().alias("cost_pusd"))
    return _in_usd(_by_plan(priced)).select(*kept, *COSTS)


def _told_once(kind: pl.Series, found: list[Prices]) -> tuple[pl.Series, list[Prices]]:
    """The same, with each price but once: most kinds have that of others."""
    distinct = {id(one): one for one in found}
    number = {of: n for n, of in enumerate(distinct)}
    numbers = pl.Series([number[id(one)] for one in found], dtype=pl.UInt32)
    return numbers.gather(kind), [*distinct.values()]


def _kinds(
    cells: pl.DataFrame, prices: PriceList
) -> tuple[pl.Series, list[Kind], LookUp]:
    """Of each cell the number of its kind, all kinds, and what looks one up."""
    names, way = _way(prices)
    period = _period(cells["started_at"].dt.date(), way)
    cut = (
        pl.lit(period.cast(pl.Int64)) * MOST_CUTS**2
        + pl.col("slot").cast(pl.Int64) * MOST_CUTS
        + pl.col("band").cast(pl.Int64)
    )
    facts = cells
    if names == LISTED:
        facts = cells.with_columns(rows.model().alias("model_actual"))
    kind, kinds = told_apart(facts, names, cells.select(cut).to_series())
    return kind, [*kinds.iter_rows()], way.look_up


def _period(days: pl.Series, way: Way) -> pl.Series:
    """How many of the days on which prices change had come."""
    return pl.Series(way.cuts.days, dtype=pl.Date).search_sorted(days, side="right")


@lru_cache(maxsize=8)
def _way(prices: PriceList) -> tuple[tuple[str, ...], Way]:
    """The way that tells all providers' kinds apart; what it looked up, it remembers."""
    names, (_, others) = ways_of(prices, look_up)
    return names, others


def _of_sums(cells: pl.DataFrame, table: pl.DataFrame, kind: pl.Series) -> pl.Series:
    """The cost of counted cells of even prices; null for all others."""
    said = [name for name in COUNTS if cells[name].null_count() < cells.height]
    if "input_tokens" not in said:
        return pl.Series([None], dtype=_PUSD).new_from_index(0, cells.height)
    lacking = [name for name in said if table[LACKS[name]].any()]
    billed = [name for name in said if name in RATE_OF]
    needed = [*(RATE_OF[name] for name in billed), *(LACKS[name] for name in lacking)]
    lacks = [(pl.col(n) > 0).fill_null(False) & pl.col(LACKS[n]) for n in lacking]
    pusd = reduce(
        add,
        (
            pl.col(n).cast(_PUSD).fill_null(0) * pl.col(RATE_OF[n]).cast(_PUSD)
            for n in billed
        ),
        pl.lit(0, _PUSD),
    )
    counted = pl.col("input_tokens").is_not_null()
    known = counted & ~reduce(or_, lacks, pl.lit(False))
    return cells.hstack(table.select(needed)[kind]).select(
        pl.when(known).then(pusd).alias("pusd")
    )["pusd"]


def _by_shape(cells: pl.DataFrame, kind: pl.Series, found: list[Prices]) -> pl.Series:
    """The cost of counted cells that have a price of another form."""
    above = [(pl.col(name) > 0).alias(f"_{name}") for name in COUNTS]
    shape = cells.select(kind.alias("_kind"), *above)
    shapes = shape.unique(maintain_order=True)
    billed = [
        _in_order(found[number][0], dict(zip(COUNTS, some, strict=True)))
        for number, *some in shapes.iter_rows()
    ]
    each = {name: f"{name}_each" for name in COUNTS}
    columns = dict.fromkeys([_FLAT, *each.values()], _PUSD)
    prices = shapes.hstack(pl.DataFrame(billed, columns, orient="row"))
    joined = shape.join(
        prices, on=shape.columns, how="left", nulls_equal=True, maintain_order="left"
    )
    pusd = pl.col("rows").cast(_PUSD) * pl.col(_FLAT)
    for name, rate in each.items():
        # Only seconds of sound are no whole number, and those are in no cell.
        pusd += pl.col(name).cast(_PUSD).fill_null(0) * pl.col(rate)
    found_pusd = cells.hstack(joined.select(*columns)).select(pusd.alias("pusd"))
    return found_pusd["pusd"]


def _in_order(
    price: KindPrice | None, above: Mapping[str, bool | None]
) -> tuple[int | None, ...]:
    """What one of each count adds, 0 where it was not said; nulls where it is unknown."""
    told = tuple((name, some) for name, some in above.items() if some is not None)
    billed = None if price is None else price.linear(told)
    if billed is None:
        return (None,) * (1 + len(above))
    each = (billed.each_pusd.get(name, 0) for name in above)
    return round(billed.flat_pusd), *map(round, each)


def _undenied() -> pl.Expr:
    """Not known where the list says nothing, and who sold it says that it cost."""
    listed = pl.col("price_source").is_in(["genai-prices", "documented"])
    stated = (pl.col("cost_stated_pusd") > 0).fill_null(False)
    denied = (pl.col("cost_pusd") == 0) & stated & listed
    return pl.when(~denied.fill_null(False)).then("cost_pusd")


def _by_plan(cells: pl.DataFrame) -> pl.DataFrame:
    """As of rows: what a plan covers has a list price and no bill."""
    covered, cost = rows.covered_by_plan().fill_null(False), pl.col("cost_pusd")
    if not cells.select(covered.any()).item():
        return cells.with_columns(pl.lit(None, _PUSD).alias("plan_pusd"))
    counted = pl.col("input_tokens").is_not_null()
    nothing = pl.lit(0, _PUSD)
    return cells.with_columns(
        pl.when(covered & counted).then(nothing).otherwise(cost).alias("cost_pusd"),
        pl.when(covered).then(cost).alias("plan_pusd"),
    )


def _in_usd(cells: pl.DataFrame) -> pl.DataFrame:
    """Each amount as a float too; most are known of no cell."""
    return cells.with_columns(
        share(pl.col(pusd), pl.lit(PUSD_PER_USD, _PUSD)).alias(usd)
        if cells[pusd].count()
        else pl.lit(None, pl.Float64).alias(usd)
        for usd, pusd in zip(list(COSTS)[:3], list(COSTS)[4:], strict=True)
    )

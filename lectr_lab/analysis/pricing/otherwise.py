"""What rows would have cost with other counts of tokens: each price is looked up once."""

from collections.abc import Mapping
from functools import partial

import polars as pl

from lectr_lab.analysis.pricing.priced import (
    FACTS,
    Way,
    costs_of,
    look_up,
    looked_up,
    ways_of,
)
from lectr_lab.analysis.pricing.token_ratio import CHARS, ESTIMATES
from lectr_lab.core.pricing.price import PriceList

Counts = Mapping[str, pl.Expr]
"""Of each count that is another, what it would be."""

_FOUND = "_found"


def priced_otherwise(
    log: pl.LazyFrame,
    otherwise: Mapping[str, Counts],
    prices: PriceList | None = None,
) -> pl.LazyFrame:
    """The log, with what each request would have cost with other counts.

    Args:
        log: events, one a row.
        otherwise: by the name of a column to be, the counts that are others; none for
            what it cost as it was. Not `input_tokens`, by which prices go.
        prices: the user's own prices, which go before the list.

    Returns:
        The same rows, with a column of each name: USD at list price, also of what a plan
        covers; as `priced` says it of rows with these counts.

    >>> from lectr_lab.log.schema import frame
    >>> nothing_read = {"cache_read_tokens": pl.lit(0)}
    >>> found = priced_otherwise(frame([]).lazy(), {"without_usd": nothing_read})
    >>> found.collect_schema().names()[-1]
    'without_usd'
    """
    names, ways = ways_of(prices or (), look_up)
    beside = (*ESTIMATES, *CHARS.values())
    has_estimates = {*beside} <= {*log.collect_schema()}
    changed = [
        count.cast(pl.Int64).alias(_place(column, name))
        for column, counts in otherwise.items()
        for name, count in counts.items()
    ]
    told = {column: tuple(counts) for column, counts in otherwise.items()}
    costs = pl.struct(*FACTS, *(beside if has_estimates else ()), *changed).map_batches(
        partial(_costs, names=names, ways=ways, told=told),
        return_dtype=pl.Struct(dict.fromkeys(otherwise, pl.Float64())),
        is_elementwise=True,
    )
    # Unnested at once, all of it would be worked out again for each of its columns.
    found = pl.col(_FOUND).struct
    return (
        log.with_columns(costs.alias(_FOUND))
        .with_columns(found.field(column).alias(column) for column in otherwise)
        .drop(_FOUND)
    )


def _place(column: str, count: str) -> str:
    return f"{count} of {column}"


def _costs(
    rows: pl.Series,
    names: tuple[str, ...],
    ways: list[Way],
    told: Mapping[str, tuple[str, ...]],
) -> pl.Series:
    given = rows.struct.unnest()
    others = [_place(column, name) for column, some in told.items() for name in some]
    facts = given.drop(others)
    kind, found = looked_up(facts, names, ways)
    now, _ = costs_of(facts, kind, found)
    costs = {}
    for column, changed in told.items():
        new = {name: given[_place(column, name)] for name in changed}
        same = [facts[name].eq_missing(count) for name, count in new.items()]
        at = pl.select(~pl.all_horizontal(True, *same)).to_series().arg_true()
        some = facts[at].with_columns(c[at].alias(name) for name, c in new.items())
        cost, _ = costs_of(some, kind[at], found)
        costs[column] = now.clone().scatter(at, cost)
    return pl.DataFrame(costs).to_struct(rows.name)

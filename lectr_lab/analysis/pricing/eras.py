"""Since when the prices hold that a request has: between two changes all are alike.

A list changes on many days, and the prices of one model on few of them. So requests of
a model are added up over far longer times than a whole list holds for.
"""

from datetime import UTC, date, datetime, time
from functools import partial

import polars as pl

from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.pricing.price_changes import model_change_days, own_change_days

_NAMES = ("provider", "model_actual", "model_sent", "model_requested")
_AT = pl.Datetime("us", "UTC")
_ALWAYS = datetime(1, 1, 1, tzinfo=UTC)


def era(prices: PriceList = ()) -> pl.Expr:
    """When the prices began to hold that a request has; the year 1 where they always did.

    Args:
        prices: the user's own, which go before the list.

    >>> row = {"provider": "openai", "model_actual": "o3", "model_sent": None}
    >>> row |= {"model_requested": None, "started_at": datetime(2025, 9, 3, tzinfo=UTC)}
    >>> str(pl.DataFrame([row]).select(era()).item())
    '2025-06-10 00:00:00+00:00'
    """
    of = pl.struct("started_at", *_NAMES)
    begins = partial(_begins, own=own_change_days(prices))
    return of.map_batches(begins, return_dtype=_AT, is_elementwise=True).alias("era")


def _begins(rows: pl.Series, own: frozenset[date]) -> pl.Series:
    some = rows.struct.unnest()
    named = some.select(pl.col(_NAMES).cast(pl.String))
    models = named.unique(maintain_order=True)
    days = [tuple(sorted(own.union(_days(*names)))) for names in models.iter_rows()]
    number = {of: n for n, of in enumerate(dict.fromkeys(days))}
    numbered = models.with_columns(
        pl.Series("n", [number[of] for of in days], pl.Int32)
    )
    of_rows = named.join(
        numbered, on=_NAMES, how="left", nulls_equal=True, maintain_order="left"
    )["n"]
    at = some["started_at"].cast(_AT)
    found = pl.Series(rows.name, [_ALWAYS], _AT).new_from_index(0, at.len())
    for changes, n in number.items():
        if changes:
            which = (of_rows == n).arg_true()
            found = found.scatter(which, _last(changes, at.gather(which)))
    return found


def _days(provider: str | None, *models: str | None) -> frozenset[date]:
    some = (model_change_days(provider, model) for model in models if model)
    return frozenset().union(*some)


def _last(changes: tuple[date, ...], at: pl.Series) -> pl.Series:
    """The last change before each moment."""
    days = [datetime.combine(day, time(), UTC) for day in changes]
    begun = pl.Series([_ALWAYS, *days], dtype=_AT)
    return begun.gather(begun.search_sorted(at, side="right") - 1)

"""What a series asked in some time, by model, at effective prices.

The list says how the prices of a model's tokens stand to each other; how much of them was
billed, tiers, batches and contracts included, is told by the dollars themselves.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl

from lectr_lab.analysis.odd.cells import MODEL
from lectr_lab.analysis.odd.predict import Array
from lectr_lab.analysis.odd.split import Traffic
from lectr_lab.analysis.views.money import summed
from lectr_lab.core.pricing import ModelPrice, TieredPrices
from lectr_lab.core.pricing.price import PriceList, PriceQuery, find_price

_COUNTS = ("n", "cost_usd", "input_tokens", "cached_tokens", "written_tokens")
ADDED = (*_COUNTS, "output_tokens")
"""The sums of cells that a `Traffic` is made of."""


class ListPrice(NamedTuple):
    """USD a token, by the list."""

    input_usd: float
    cached_usd: float
    written_usd: float
    output_usd: float


_FITS = 0.01  # of what was billed
_LEAST_CELLS = 8  # to learn four prices from
_EVEN = ListPrice(1.0, 1.0, 1.0, 1.0)


def list_price(
    provider: str | None, model: str | None, at: datetime, prices: PriceList = ()
) -> ListPrice | None:
    """What tokens of a model cost at a time, before tiers; None where it is not known.

    >>> from datetime import UTC
    >>> found = list_price("openai", "gpt-4o-mini", datetime(2026, 11, 1, tzinfo=UTC))
    >>> found.output_usd / found.input_usd
    4.0
    """
    found = find_price(PriceQuery(provider, model, None, None, None, at), prices)
    if found is None or not found.by_tokens:
        return None
    price = found.price
    usual = _token_usd(price, "input_mtok", 0.0)
    return ListPrice(
        usual,
        _token_usd(price, "cache_read_mtok", usual),
        _token_usd(price, "cache_write_mtok", usual),
        _token_usd(price, "output_mtok", usual),
    )


def _token_usd(price: ModelPrice, key: str, otherwise: float) -> float:
    usd = getattr(price, key, None)
    if isinstance(usd, TieredPrices):
        usd = usd.base
    return otherwise if usd is None else float(usd) / 1e6


def token_prices(
    sums: pl.DataFrame, models: pl.DataFrame, at: datetime, prices: PriceList = ()
) -> Array:
    """What tokens of each model cost in proportion to each other.

    The list's prices, where they fit what was billed to 1 %; else the prices that fit it
    best, where some do; else the list's all the same, and where it has none, one price
    for every token.

    Returns:
        Models by the four of `ListPrice`.
    """
    found = []
    for provider, model in models.iter_rows():
        own = sums.filter(
            pl.col("provider").eq_missing(pl.lit(provider)),
            pl.col("model").eq_missing(pl.lit(model)),
            pl.col("cost_usd") > 0,
        )
        listed = list_price(provider, model, at, prices)
        tokens, usd = _tokens(own), own["cost_usd"].to_numpy()
        if listed is not None and _off(tokens @ np.array(listed), usd) <= _FITS:
            found.append(np.array(listed))
            continue
        learned = _learned(tokens, usd) if len(usd) >= _LEAST_CELLS else np.ones(4)
        fits = _off(tokens @ learned, usd) <= _FITS
        found.append(learned if fits else np.array(listed or _EVEN))
    return np.array(found).reshape(-1, 4)


def _learned(tokens: Array, usd: Array) -> Array:
    from scipy.optimize import nnls  # most logs need none, and it loads slowly

    return nnls(tokens, usd)[0]


def _tokens(sums: pl.DataFrame) -> Array:
    """New, cached, written and answered tokens, a row for each cell."""
    sent, read, written, answered = (sums[name].to_numpy() for name in ADDED[2:])
    return np.stack([sent - read - written, read, written, answered], axis=1)


def _off(by_price: Array, usd: Array) -> float:
    """By how much the best multiple misses what was billed, as a share of it."""
    if not len(usd):
        return 0.0
    square = float(by_price @ by_price)
    best = by_price * (float(by_price @ usd) / square if square else 0.0)
    return float(np.abs(best - usd).sum() / usd.sum())


def traffic(
    sums: pl.DataFrame, models: pl.DataFrame, requests: float, token_usd: Array
) -> Traffic:
    """So many requests of the kind that some cells hold.

    Args:
        sums: cells of one series.
        models: `provider` and `model`, a row for each place in the arrays.
        requests: how many there were or should have been.
        token_usd: `token_prices` of these models; what was billed says how many times
            these it was.
    """
    added = sums.group_by(MODEL).agg(summed(ADDED))
    of = models.join(
        added, on=MODEL, how="left", nulls_equal=True, maintain_order="left"
    )
    n, usd, sent, read, written, answered = (of[name].to_numpy() for name in ADDED)
    asked = np.nan_to_num(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = asked / asked.sum()
        each = np.where(asked > 0, 1 / asked, np.nan)
        none = np.where(asked > 0, 0.0, np.nan)  # asked, and not by the token
        cached, kept = (np.where(sent > 0, v / sent, none) for v in (read, written))
    by_price = np.nan_to_num((_tokens(of) * token_usd).sum(1))
    counted = by_price > 0
    times = np.where(counted, usd / np.where(counted, by_price, 1), none)
    token = token_usd.T * times
    return Traffic(
        requests=requests,
        share=share,
        input_tokens=sent * each,
        cached=cached,
        written=kept,
        output_tokens=answered * each,
        input_usd=token[0],
        cached_usd=token[1],
        written_usd=token[2],
        output_usd=token[3],
        request_usd=np.where(counted, 0.0, usd * each),
    )


def price_changes(
    models: pl.DataFrame, was: datetime, now: datetime, prices: PriceList = ()
) -> Sequence[str | None]:
    """The models whose price by the list is another now."""
    look = cache(list_price)
    return [
        model
        for provider, model in models.iter_rows()
        if look(provider, model, was, prices) != look(provider, model, now, prices)
    ]

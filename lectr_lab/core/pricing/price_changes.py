"""When prices can change: between two of these days, times and lengths they do not.

So that a frame is priced once for each kind of request, and not once a row.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.metadata import version
from typing import NamedTuple

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from lectr_lab.core.pricing.documented import LISTED_AS
from lectr_lab.core.pricing.gateway_names import listed_by_vendor
from lectr_lab.core.pricing.geo import geo_prices
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.core.registry import registry

_OURS = {LISTED_AS.get(name, name) for name in registry()}
# By Azure; and Bedrock's, whose ids a gateway of any name may take.
_SOLD_BY_OTHERS = {"deepseek", "x-ai", "moonshotai", "aws"}
_MOST_REMEMBERED = 1 << 14


class Changes(NamedTuple):
    """Where list prices can change."""

    days: frozenset[date]
    times: frozenset[time]  # UTC; DeepSeek's models are priced by them
    input_tokens: frozenset[int]  # a tier holds above its start


def _constraints(model: ModelInfo) -> Iterator[object]:
    variants: list[ConditionalPrice | PriceVariant] = [*(model.price_variants or ())]
    if isinstance(model.prices, list):
        variants += model.prices
    return (variant.constraint for variant in variants)


@cache
def list_changes(others: bool = False) -> Changes:
    """Where list prices can change; `others`: those that only imported logs name, too.

    >>> 200_000 in list_changes().input_tokens
    True
    """
    few = _OURS | _SOLD_BY_OTHERS
    some = [p for p in get_snapshot().providers if others or p.id in few]
    models = [model for p in some for model in p.models]
    constraints = [c for model in models for c in _constraints(model)]
    days = {c.start_date for c in constraints if isinstance(c, StartDateConstraint)}
    times = {
        _as_utc(at)
        for c in constraints
        if isinstance(c, TimeOfDateConstraint)
        for at in (c.start_time, c.end_time)
    }
    starts = {
        tier.start
        for model in models
        for price in _all_prices(model)
        for value in vars(price).values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }
    return Changes(frozenset(days), frozenset(times), frozenset(starts))


def _as_utc(at: time) -> time:
    """A time of the price list, which is UTC where it names no zone."""
    if at.tzinfo is None:
        return at
    return datetime.combine(date(2026, 1, 1), at).astimezone(UTC).time()


def _all_prices(model: ModelInfo) -> Iterator[ModelPrice]:
    if isinstance(model.prices, ModelPrice):
        yield model.prices
    else:
        yield from (conditional.prices for conditional in model.prices)
    yield from (variant.prices for variant in model.price_variants or ())


def change_days(prices: PriceList, others: bool = False) -> list[date]:
    """The days from which another price can hold, the user's entries included."""
    placed = {entry.first_day for entry in geo_prices()}
    return sorted(list_changes(others).days | own_change_days(prices) | placed)


def own_change_days(prices: PriceList) -> frozenset[date]:
    """The days from which another of the user's entries can hold."""
    first = {p.first_day for p in prices if p.first_day is not None}
    after = {p.last_day + timedelta(days=1) for p in prices if p.last_day is not None}
    return frozenset(first | after)


@lru_cache(_MOST_REMEMBERED)
def model_change_days(provider: str | None, model: str) -> frozenset[date]:
    """The days from which another list price of one model can hold.

    Args:
        provider: whom it was asked of.
        model: any of the names that it went by.

    >>> date(2026, 3, 13) in model_change_days("anthropic", "claude-opus-4-6")
    True
    """
    places = [(provider, model), *listed_by_vendor(model)]
    return frozenset(day for place in places for day in _days_at(*place))


@cache
def list_version() -> str:
    """Which price list it is: another may change on other days."""
    updated = get_snapshot()
    at = updated.timestamp if updated.from_auto_update else ""
    return f"genai-prices {version('genai-prices')} {at}".rstrip()


def _days_at(provider: str | None, model: str) -> Iterator[date]:
    """The days of the entry of the list that a price is looked up in, and of places."""
    yield from (one.first_day for one in geo_prices() if one.provider == provider)
    seller = LISTED_AS.get(provider or "", provider)
    if seller is None:
        return
    try:
        _, listed = get_snapshot().find_provider_model(model, None, seller, None)
    except LookupError:
        return
    for constraint in _constraints(listed):
        if isinstance(constraint, StartDateConstraint):
            yield constraint.start_date

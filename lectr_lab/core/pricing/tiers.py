"""What a service tier costs, as so many times the standard price: `tiers.toml`.

For tiers that the price list has no figure for. A tier that neither knows has no
price: it is not taken to cost what the standard tier costs.
"""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec
from genai_prices.types import ModelPrice, Tier, TieredPrices

STANDARD_TIERS = frozenset({"default", "standard", "on_demand", "auto"})
"""Words that providers have for the tier with the standard price."""

_LEAST_MTOK_USD = Decimal("0.000001")  # a million tokens at 1e-12 USD each
_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


class TierPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one tier costs on some models, and who says so."""

    provider: str
    tier: str
    times: Decimal
    models: tuple[str, ...]  # globs, lower case, without a model's date
    source: str
    checked: date


def tier_times(provider: str, model: str, tier: str) -> Decimal | None:
    """How many times the standard price a tier costs; None where it is not known.

    >>> tier_times("gemini", "gemini-2.5-flash", "flex")
    Decimal('0.5')
    >>> tier_times("anthropic", "claude-sonnet-4-5", "priority")
    """
    name = _DATE.sub("", model.lower().removeprefix("models/"))
    for entry in tier_prices():
        if (entry.provider, entry.tier) == (provider, tier) and any(
            fnmatchcase(name, glob) for glob in entry.models
        ):
            return entry.times
    return None


def scaled(price: ModelPrice, times: Decimal) -> ModelPrice:
    """A price with every kind of token at so many times; searches cost what they did.

    >>> scaled(ModelPrice(input_mtok=Decimal("2.50")), Decimal("0.5")).input_mtok
    Decimal('1.250')
    """
    prices = {key: value for key, value in vars(price).items() if value is not None}
    return ModelPrice(
        **{
            key: _times(value, times) if key.endswith("_mtok") else value
            for key, value in prices.items()
        }
    )


def _times(usd: Decimal | TieredPrices, times: Decimal) -> Decimal | TieredPrices:
    return _each(usd, lambda one: one * times)


def in_whole_pusd(price: ModelPrice) -> ModelPrice:
    """A price of which one token costs a whole number of 1e-12 USD.

    Nearly every list price is one as it stands; the others are what a list's own
    arithmetic left (0.08333333333333334), and are told from it by no bill. So sums of
    tokens cost what their requests do, to the last digit.

    >>> in_whole_pusd(ModelPrice(input_mtok=Decimal("0.0833333333"))).input_mtok
    Decimal('0.083333')
    """
    prices = {key: value for key, value in vars(price).items() if value is not None}
    tokens = {key: usd for key, usd in prices.items() if key.endswith("_mtok")}
    uneven = {key: usd for key, usd in tokens.items() if not _is_even(usd)}
    if not uneven:
        return price
    return ModelPrice(
        **prices | {key: _each(usd, _even) for key, usd in uneven.items()}
    )


def _is_even(usd: Decimal | TieredPrices) -> bool:
    if not isinstance(usd, TieredPrices):
        return usd % _LEAST_MTOK_USD == 0
    return all(one % _LEAST_MTOK_USD == 0 for one in (usd.base, *_prices(usd)))


def _even(usd: Decimal) -> Decimal:
    return usd.quantize(_LEAST_MTOK_USD, ROUND_HALF_UP)


def _prices(usd: TieredPrices) -> list[Decimal]:
    return [tier.price for tier in usd.tiers]


def _each(
    usd: Decimal | TieredPrices, change: Callable[[Decimal], Decimal]
) -> Decimal | TieredPrices:
    if not isinstance(usd, TieredPrices):
        return change(usd)
    tiers = [Tier(start=tier.start, price=change(tier.price)) for tier in usd.tiers]
    return TieredPrices(base=change(usd.base), tiers=tiers)


@cache
def tier_prices() -> tuple[TierPrice, ...]:
    """The table, in the order of the file."""
    text = files("lectr_lab.core.pricing").joinpath("tiers.toml").read_text("utf-8")
    tables = tomllib.loads(text, parse_float=Decimal)["tier"]
    return tuple(msgspec.convert(table, TierPrice) for table in tables)

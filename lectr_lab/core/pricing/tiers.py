"""What a service tier costs, as so many times the standard price: `tiers.toml`.

For tiers that the price list has no figure for. A tier that neither knows has no
price: it is not taken to cost what the standard tier costs.
"""

import re
import tomllib
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec
from genai_prices.types import ModelPrice, Tier, TieredPrices

STANDARD_TIERS = frozenset({"default", "standard", "on_demand", "auto"})
"""Words that providers have for the tier with the standard price."""

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
    if not isinstance(usd, TieredPrices):
        return usd * times
    tiers = [Tier(start=tier.start, price=tier.price * times) for tier in usd.tiers]
    return TieredPrices(base=usd.base * times, tiers=tiers)


@cache
def tier_prices() -> tuple[TierPrice, ...]:
    """The table, in the order of the file."""
    text = files("lectr_lab.core.pricing").joinpath("tiers.toml").read_text("utf-8")
    tables = tomllib.loads(text, parse_float=Decimal)["tier"]
    return tuple(msgspec.convert(table, TierPrice) for table in tables)

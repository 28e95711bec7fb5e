"""What a call costs by the place where it ran, as so many times the price: `geo.toml`.

A place that the table does not know, or not yet on that day, has no price: it is not
taken to cost what anywhere costs.
"""

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec

ANYWHERE = frozenset({"global", "not_available"})
"""Words for no such choice, or of models that offer none (as recorded)."""


class GeoPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one place costs at a provider from a day on (UTC), and who says so."""

    provider: str
    geo: str
    times: Decimal
    first_day: date = msgspec.field(name="from")
    source: str
    checked: date


def geo_times(provider: str, geo: str | None, day: date) -> Decimal | None:
    """How many times the price a place costs; None where it is not known.

    >>> geo_times("anthropic", "us", date(2026, 11, 1))
    Decimal('1.1')
    >>> geo_times("anthropic", "global", date(2026, 11, 1))
    Decimal('1')
    >>> geo_times("anthropic", "mars", date(2026, 11, 1))
    """
    if geo is None or geo in ANYWHERE:
        return Decimal(1)
    fitting = (
        entry.times
        for entry in geo_prices()
        if (entry.provider, entry.geo) == (provider, geo) and entry.first_day <= day
    )
    return next(fitting, None)


@cache
def geo_prices() -> tuple[GeoPrice, ...]:
    """The table, in the order of the file."""
    text = files("lectr_lab.core.pricing").joinpath("geo.toml").read_text("utf-8")
    tables = tomllib.loads(text, parse_float=Decimal)["geo"]
    return tuple(msgspec.convert(table, GeoPrice) for table in tables)

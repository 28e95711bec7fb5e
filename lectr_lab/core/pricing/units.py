"""The kinds of unit that calls are billed by, a unit for each count: `units.toml`."""

import tomllib
from importlib.resources import files

import msgspec


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a count is billed."""

    price_key: str | None = None  # of the price list; None: it has no such unit
    usage_key: str | None = None
    parts: tuple[str, ...] = ()  # counts within this one, billed apart if priced
    per: int = 10**6  # how many a price buys
    apart: bool = False  # no kind of token, and billed beside them


def _read() -> dict[str, Unit]:
    text = files("lectr_lab.core.pricing").joinpath("units.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Unit])


UNITS = _read()
"""By the event's counts, parts before their wholes."""

COUNTS = tuple(UNITS)
"""The columns that a price depends on, all of them."""

TOKENS = tuple(name for name, unit in UNITS.items() if not unit.apart)
"""Kinds of token, parts before their wholes."""

_NOT_IN_USAGE = ("audio_seconds", "input_characters", "rerank_searches")
USAGE_KEYS = {
    name: unit.usage_key
    for name, unit in UNITS.items()
    if unit.usage_key and name not in _NOT_IN_USAGE
}
"""The counts of usage blocks, and what genai-prices calls each."""

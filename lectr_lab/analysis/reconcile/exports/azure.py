"""Azure's cost export: a row a day, resource and meter, of all of Azure's services.

A meter's name is the model's, abbreviated, and what it counts: "gpt 4o 1120 cached Inp
glbl Tokens". Its quantity is in thousands or millions, as its unit says.
"""

import re
from typing import NamedTuple

from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Dimensions,
    Row,
    Said,
    Shape,
    Used,
    day_of,
    dollars,
    some,
    word,
)

_SEEN = (
    "columns from learn.microsoft.com's cost details schema; meters as Azure's price list "
    "names them, seen in public readers of it; 2026-11"
)
_SERVICES = re.compile(
    r"openai|cognitive services|foundry|\bai services\b|deepseek|grok"
)
_OTHERS = "{:,} of its rows are of other services of Azure, and are left out."
_FOREIGN = (
    "{:,} of its amounts are in {}, not in US dollars, and are left out: export with "
    "costInUsd."
)
_PER = {"k": 1_000, "m": 1_000_000}
_UNIT = re.compile(r"(\d+)\s*([km])?\b", re.IGNORECASE)

# What the parts of a meter's name mean; the rest is the model's.
_INPUT = {"in", "inp", "inpt", "input", "prompt"}
_OUTPUT = {"out", "outp", "outpt", "opt", "output", "completion"}
_CACHED = {"cached", "cchd", "cache", "cd", "cc"}
_TIERS = {"batch": "batch", "btch": "batch", "bch": "batch"}
_TIERS |= {"prio": "priority", "priority": "priority", "pp": "priority", "flex": "flex"}
_AUDIO, _IMAGE = {"aud", "audio"}, {"img", "image"}
_PLACES = {"glbl", "gl", "global", "dz", "dzn", "dzone", "datazone", "data", "zone"}
_PLACES |= {"rgnl", "regnl", "regional", "reg", "tokens", "token", "1m", "1k"}
_PLACES |= {"txt", "text", "shortco", "longco", "mdl", "unit"}
_LONG = "longco"


class Meter(NamedTuple):
    """What one meter counts, as far as its name tells."""

    model: str
    column: str | None  # None: no tokens that the log counts
    cached: bool
    dimensions: Dimensions


def meter(name: str) -> Meter:
    """What a meter's name says.

    >>> meter("gpt 4o 1120 cached Inp glbl Tokens")
    Meter(model='gpt 4o 1120', column='input_tokens', cached=True, \
dimensions=Dimensions(tier='standard', long=None, geo=None))
    >>> meter("gpt-4o-mini-0718-Batch-Outp-glbl Tokens")[:2]
    ('gpt 4o mini 0718', 'output_tokens')
    """
    words = [w for w in re.split(r"[\s_-]+", name.lower()) if w]
    means = set(words)
    tier = next((_TIERS[w] for w in words if w in _TIERS), "standard")
    side = "input" if means & _INPUT else "output" if means & _OUTPUT else None
    kind = "audio_" if means & _AUDIO else "image_" if means & _IMAGE else ""
    known = _INPUT | _OUTPUT | _CACHED | _TIERS.keys() | _AUDIO | _IMAGE | _PLACES
    return Meter(
        " ".join(w for w in words if w not in known) or name.strip(),
        f"{side}_{kind}tokens" if side else None,
        bool(means & _CACHED),
        Dimensions(tier, True if _LONG in means else None),
    )


def _read(rows: list[Row]) -> Said:
    ours = [row for row in rows if _SERVICES.search(_service(row))]
    used, charged, foreign = [], [], []
    for row in ours:
        found = meter(_first(row, "metername", "meter"))
        day = day_of(_first(row, "date", "usagedatetime", "usagedate"))
        counts = _counts(found, row)
        if counts:
            used.append(Used(day, found.model, None, counts, found.dimensions))
        usd = _usd(row)
        if usd is None:
            foreign.append(word(row, "billingcurrency") or word(row, "currency") or "?")
        else:
            charged.append(Charged(day, found.model, usd))
    notes = []
    if len(ours) < len(rows):
        notes.append(_OTHERS.format(len(rows) - len(ours)))
    if foreign:
        named = " and ".join(sorted({one.upper() for one in foreign}))
        notes.append(_FOREIGN.format(len(foreign), named))
    return Said(tuple(used), tuple(charged), tuple(notes))


def _counts(found: Meter, row: Row) -> dict[str, int]:
    if found.column is None:
        return {}
    unit = _UNIT.search(_first(row, "unitofmeasure"))
    per = int(unit[1]) * _PER.get((unit[2] or "").lower(), 1) if unit else 1
    tokens = round(dollars(row, "quantity") * per)
    side = found.column.partition("_")[0]
    cached = tokens if found.cached and side == "input" else 0
    whole = {f"{side}_tokens": tokens, found.column: tokens}
    return some([*whole.items(), ("cache_read_tokens", cached)])


def _usd(row: Row) -> float | None:
    for key in ("costinusd", "pretaxcostusd", "costusd"):
        if row.get(key) not in (None, ""):
            return dollars(row, key)
    currency = word(row, "billingcurrency") or word(row, "billingcurrencycode")
    if (currency or word(row, "currency") or "usd") != "usd":
        return None
    for key in ("costinbillingcurrency", "pretaxcost", "cost"):
        if row.get(key) not in (None, ""):
            return dollars(row, key)
    return 0.0


def _service(row: Row) -> str:
    keys = ("metercategory", "metersubcategory", "consumedservice", "productname")
    return " ".join(word(row, key) or "" for key in keys)


def _first(row: Row, *keys: str) -> str:
    return next((str(row[key]) for key in keys if row.get(key) not in (None, "")), "")


def _fits(keys: frozenset[str], _: Row) -> bool:
    named = not keys.isdisjoint({"metername", "meter"})
    return named and not keys.isdisjoint({"metercategory", "metersubcategory"})


SHAPES = (Shape("Azure's cost export", "azure", _SEEN, _fits, _read),)
"""Of its files, those that are known."""

"""Google's billing export: a row a day and SKU, of all of Google Cloud's services.

The console's CSV, or rows of BigQuery's export. A SKU says the model and what it counts:
"Generate content input token count gemini 2.5 flash short input text". Credits stand in
a column, or a list, of their own, and are set apart here, too.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Dimensions,
    Row,
    Said,
    Shape,
    Unclear,
    Used,
    day_of,
    dollars,
    some,
    word,
)

_SEEN = (
    "columns from cloud.google.com/billing/docs (cost table and BigQuery export); SKUs "
    "seen in bills that public readers quote; 2026-11"
)
_SERVICES = re.compile(r"gemini|generative language|vertex ai")
_OTHERS = "{:,} of its rows are of other services of Google, and are left out."
_FOREIGN = (
    "{:,} of its amounts are in {}, not in US dollars, and are left out: set the export's "
    "currency, or convert them first."
)
_CREDITS = "credits"
_CONSOLE_ZONE = "America/Los_Angeles"
_CLOCK = re.compile(r"\d:\d\d")
_SIDE = re.compile(
    r"(input|output) token count|\b(input|output)\b(?!.*\b(in|out)put\b)"
)
_MODEL = re.compile(r"(gemini|gemma)[ a-z0-9.]*")
_NO_NAME = re.compile(
    r" (short|long|input|output|text|image|audio|video|thinking|batch|flex|priority|cach\w+"
    r"|predictions|online|global|token|count|free)\b.*"
)
_SEARCH = re.compile(r"search ground|grounding with google search")


class Sku(NamedTuple):
    """What one SKU counts, as far as its name tells."""

    model: str
    column: str | None
    cached: bool
    dimensions: Dimensions


def sku(name: str) -> Sku:
    """What a SKU's description says.

    >>> sku("Generate content output token count gemini 2.5 flash short input text")[:2]
    ('gemini 2.5 flash', 'output_tokens')
    >>> sku("Generate_content cached image input token count for gemini 3 flash batch")
    Sku(model='gemini 3 flash', column='input_image_tokens', cached=True, \
dimensions=Dimensions(tier='batch', long=False, geo=None))
    """
    text = re.sub(r"[\s_-]+", " ", name.lower()).strip()
    named, side = _MODEL.search(text), _SIDE.search(text)
    model = _NO_NAME.sub("", named[0]).strip() if named else name.strip()
    tier = next((t for t in ("batch", "flex", "priority") if t in text), "standard")
    column = None
    if _SEARCH.search(text):
        column = "web_searches"
    elif side:
        kind = next((f"{k}_" for k in ("audio", "image") if f"{k} " in f"{text} "), "")
        kind = "" if named and kind[:-1] in model else kind  # "Gemini 3 Pro Image"
        column = f"{side[1] or side[2]}_{kind}tokens"
    long = " long " in f"{text} "
    return Sku(model, column, "cach" in text, Dimensions(tier, long))


def _read(rows: list[Row]) -> Said:
    flat = [_flat(row) for row in rows]
    ours = [row for row in flat if _SERVICES.search(_service(row))]
    used, charged, foreign = [], [], []
    for row in ours:
        found = sku(str(row.get("skudescription") or ""))
        day = day_of(_day(row))
        amount = round(dollars(row, "usageamount"))
        counts = _counts(found, amount)
        if counts:
            used.append(Used(day, found.model, None, counts, found.dimensions))
        currency = word(row, "currency") or "usd"
        if currency != "usd":
            foreign.append(currency.upper())
            continue
        charged.append(Charged(day, found.model, dollars(row, _cost(row))))
        if credit := _credits(row):
            charged.append(Charged(day, _CREDITS, credit))
    notes = []
    if len(ours) < len(rows):
        notes.append(_OTHERS.format(len(rows) - len(ours)))
    if foreign:
        named = " and ".join(sorted(set(foreign)))
        notes.append(_FOREIGN.format(len(foreign), named))
    has_times = any(_CLOCK.search(_day(row)) for row in ours)
    tz = "UTC" if has_times or not ours else _CONSOLE_ZONE
    return Said(tuple(used), tuple(charged), tuple(notes), tz)


def _counts(found: Sku, amount: int) -> dict[str, int]:
    if found.column is None:
        return {}
    if found.column == "web_searches":
        return some([(found.column, amount)])
    side = found.column.partition("_")[0]
    cached = amount if found.cached and side == "input" else 0
    whole = {f"{side}_tokens": amount, found.column: amount}
    return some([*whole.items(), ("cache_read_tokens", cached)])


def _flat(row: Row) -> Row:
    """One name for a column, whichever export it is of: letters alone."""
    found = {}
    for key, value in row.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for name, one in inner:
            found[re.sub(r"[^a-z]", "", f"{key}{name}".lower())] = one
    return found


def _service(row: Row) -> str:
    return (
        f"{word(row, 'servicedescription') or ''} {word(row, 'skudescription') or ''}"
    )


def _day(row: Row) -> str:
    for key in ("usagestarttime", "usagestartdate", "date", "day"):
        if row.get(key):
            return str(row[key])
    raise Unclear("it names no day: group the cost table by day")


def _cost(row: Row) -> str:
    return "cost" if row.get("cost") not in (None, "") else "unroundedcost"


def _credits(row: Row) -> float:
    given = row.get("credits")
    if isinstance(given, str) and given.lstrip().startswith("["):
        given = json.loads(given)
    if isinstance(given, list):
        return sum(dollars(one, "amount") for one in given)
    keys = ("credits", "promotionsandothers", "discounts", "negotiatedsavings")
    return sum(dollars(row, key) for key in keys)


def _fits(keys: frozenset[str], first: Row) -> bool:
    flat = {re.sub(r"[^a-z]", "", key) for key in keys} | _flat(first).keys()
    return "skudescription" in flat and not flat.isdisjoint({"cost", "unroundedcost"})


SHAPES = (Shape("Google's billing export", "gemini", _SEEN, _fits, _read),)
"""Of its files, those that are known."""

"""What providers document of their prices beside the price list: `documented.toml`.

Where the list leaves out what is billed, or how, the provider's page goes before it.
"""

import tomllib
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from lectr_lab.core.registry import registry

LISTED_AS = {name: row.listed_as for name, row in registry().items() if row.listed_as}
LISTED_AS |= {"gcp.gen_ai": "google", "x_ai": "x-ai"}
LISTED_AS |= dict.fromkeys(["azure_ai", "azure.ai.openai"], "azure")
LISTED_AS |= dict.fromkeys(["vertex_ai", "vertex_ai_beta"], "google")
LISTED_AS |= {"bedrock": "aws", "bedrock_converse": "aws", "cohere_chat": "cohere"}
LISTED_AS |= {"fireworks_ai": "fireworks", "together_ai": "together"}
"""Names that genai-prices does not know: ours, OpenTelemetry's and LiteLLM's."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What holds for some models at some providers, and who says so."""

    providers: tuple[str, ...]
    models: tuple[str, ...]  # globs, lower case
    source: str
    checked: date
    count: str | None = None
    usd: Decimal | None = None  # for one
    least: int | None = None
    why: str | None = None


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, table by table."""

    whole: tuple[Entry, ...]
    unknown: tuple[Entry, ...]
    free: tuple[Entry, ...]
    price: tuple[Entry, ...]
    least: tuple[Entry, ...]


class Documented(NamedTuple):
    """What is documented of one model at one provider."""

    with_whole: frozenset[str]  # counts billed at the price of what they are part of
    unknown: bool  # more is billed than is counted
    free: bool  # its tokens cost nothing
    usd: dict[str, Decimal]  # by count, of units that the list has no price for
    least: dict[str, int]  # by count


@cache
def tables() -> Tables:
    """The tables, in the order of the file."""
    text = files("lectr_lab.core.pricing").joinpath("documented.toml").read_text()
    return msgspec.convert(tomllib.loads(text, parse_float=Decimal), Tables)


def documented(provider: str, model: str) -> Documented:
    """What the providers' pages say of a model.

    Args:
        provider: as events name it, or as the price list does.
        model: as anybody writes it.

    >>> documented("gemini", "models/gemini-2.5-flash").with_whole >= {"input_image_tokens"}
    True
    >>> documented("openai", "gpt-5-search-api").unknown
    True
    """
    seller = LISTED_AS.get(provider, provider)
    name = model.lower().rpartition("/")[2]
    told = tables()

    def fitting(entries: tuple[Entry, ...]) -> list[Entry]:
        return [entry for entry in entries if _fits(entry, seller, name)]

    return Documented(
        frozenset(entry.count for entry in fitting(told.whole) if entry.count),
        bool(fitting(told.unknown)),
        bool(fitting(told.free)),
        {e.count: e.usd for e in fitting(told.price) if e.count and e.usd is not None},
        {e.count: e.least for e in fitting(told.least) if e.count and e.least},
    )


def _fits(entry: Entry, seller: str, name: str) -> bool:
    sold = any(p == "*" or LISTED_AS.get(p, p) == seller for p in entry.providers)
    return sold and any(fnmatchcase(name, glob) for glob in entry.models)

"""What one request cost, exactly: its counts times the price in force at its time.

List prices are those that travel with `genai-prices` (nothing is fetched); what
providers document beside them is in `documented.toml`; a user's own entries go before
both. A sum is known if each of its parts is: a count without a price of its own makes
the cost None, never 0 and never another part's price. The same rule said over a whole
frame is `analysis/pricing/priced.py`; a law test holds the two equal.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice

from lectr_lab.core.event import Event
from lectr_lab.core.event_values import GATEWAY_CACHE
from lectr_lab.core.pricing.documented import LISTED_AS, documented
from lectr_lab.core.pricing.gateway_names import listed_by_vendor
from lectr_lab.core.pricing.geo import geo_times
from lectr_lab.core.pricing.tiers import (
    STANDARD_TIERS,
    in_whole_pusd,
    scaled,
    tier_times,
)
from lectr_lab.core.pricing.units import COUNTS, TOKENS, UNITS, USAGE_KEYS

__all__ = ["COUNTS", "LISTED_AS", "USAGE_KEYS", "PriceQuery", "find_price"]

PriceSource = Literal["user", "genai-prices", "documented", "gateway-cache"]

MOST_COUNTED = 10**8
"""More than any request can hold; a reply that counts higher is not believed."""

_NOTHING: Mapping[str, Decimal] = MappingProxyType({})
_NO_LEAST: Mapping[str, int] = MappingProxyType({})
_PARTS = frozenset(TOKENS) - {"input_tokens", "output_tokens"}


class UserPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price of the user's own: negotiated, an Azure deployment, a local model.

    Kinds of token without a price here are billed as other input, or output; of all
    else the price is not known.
    """

    model: str  # a glob, matched without regard to case
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    output_audio_usd_per_mtok: Decimal | None = None
    output_image_usd_per_mtok: Decimal | None = None
    web_search_usd: Decimal | None = None  # for one, as are all that follow
    other_tool_call_usd: Decimal | None = None
    image_usd: Decimal | None = None
    audio_second_usd: Decimal | None = None
    input_character_usd: Decimal | None = None
    rerank_search_usd: Decimal | None = None
    provider: str | None = None  # without regard to case
    first_day: date | None = msgspec.field(default=None, name="from")  # UTC, inclusive
    last_day: date | None = msgspec.field(default=None, name="until")
    source: str | None = None
    checked: date | None = None


PriceList = tuple[UserPrice, ...]
"""The user's entries; the first that fits, from top to bottom, wins."""


class PriceQuery(NamedTuple):
    """What a price depends on, besides the counts."""

    provider: str | None
    model_actual: str | None
    model_sent: str | None
    model_requested: str | None
    service_tier: str | None
    started_at: datetime
    inference_geo: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The names the model went by, the most telling first.

        What was requested is none of them where a rule sent something else.
        """
        names = (self.model_actual, self.model_sent or self.model_requested)
        return tuple(name for name in names if name is not None)


class Found(NamedTuple):
    """A price, whose it is, and what the list's form has no room for."""

    price: ModelPrice
    source: PriceSource
    usd: Mapping[str, Decimal] = _NOTHING  # for one, by count
    with_whole: frozenset[str] = frozenset()  # billed as what they are part of
    least: Mapping[str, int] = _NO_LEAST  # that is billed, by count
    flat_usd: Decimal | None = None  # a request's, whatever it counted
    free: bool = False  # its tokens are, and so is what did not count them

    @property
    def by_tokens(self) -> bool:
        """Its calls are billed by the token, and by what else they used."""
        return self.price.input_mtok is not None

    @property
    def lacking(self) -> frozenset[str]:
        """The counts that it has no price for."""
        if self.flat_usd is not None:
            return frozenset()
        found = {name for name in COUNTS if self._has(name)}
        wholes = [whole for whole in found if not UNITS[whole].apart]
        found |= {p for p in self.with_whole for w in wholes if p in UNITS[w].parts}
        if "output_image_tokens" in found:
            found.add("image_count")  # paid for by its tokens
        return frozenset(COUNTS) - found

    def _has(self, count: str) -> bool:
        key = UNITS[count].price_key
        listed = key is not None and getattr(self.price, key) is not None
        if count == "input_image_tokens" and listed:  # they may have been a video's
            listed = self.price.input_video_mtok in (None, self.price.input_image_mtok)
        return listed or count in self.usd


def price_event(event: Event, prices: PriceList = ()) -> Decimal | None:
    """Price one request, in US dollars, exactly.

    Args:
        event: the request; its counts, models, provider, tier, place and time are used.
        prices: the user's own entries, which go before the list.

    Returns:
        USD, unrounded. None where the reply did not count what is billed, where any
        part of that has no known price, and where the counts contradict each other.

    >>> from uuid import UUID
    >>> hello = Event(
    ...     event_id=UUID(int=7).bytes, started_at=datetime(2026, 11, 1, tzinfo=UTC),
    ...     org="local", path="/v1/chat/completions", operation="chat",
    ...     outcome="ok", total_ms=310.0, provider="openai",
    ...     model_actual="gpt-4o-mini-2024-07-18",
    ...     input_tokens=1_000, output_tokens=500,
    ... )
    >>> price_event(hello)
    Decimal('0.00045')
    """
    found = find_price(
        PriceQuery(*(getattr(event, name) for name in PriceQuery._fields)), prices
    )
    counts = {column: getattr(event, column) for column in COUNTS}
    usd = None if found is None else cost_usd(found, counts)
    return None if contradicted(found, usd, event.cost_stated_usd) else usd


def contradicted(
    found: Found | None, usd: Decimal | None, stated_usd: float | None
) -> bool:
    """The list says nothing, and who sold it says that it cost something: what was not
    counted was taken for none."""
    listed = found is not None and found.source in ("genai-prices", "documented")
    return listed and usd == 0 and (stated_usd or 0) > 0


def cost_usd(
    price: Found | ModelPrice, counts: Mapping[str, float | None]
) -> Decimal | None:
    """What the counts of an event cost; None as `price_event` says.

    Args:
        price: as found; or one of the list's, with nothing documented beside it.
        counts: by the event's columns; what is left out was not said.

    >>> heard = ModelPrice(audio_hours=Decimal("0.36"))
    >>> cost_usd(heard, {"audio_seconds": 90.5})
    Decimal('0.00905')
    >>> cost_usd(heard, {"audio_seconds": 90.5, "web_searches": 1})
    """
    if isinstance(price, Found):
        found = price
    else:
        found = Found(price, "genai-prices", with_whole=documented("", "").with_whole)
    if found.flat_usd is not None:
        return found.flat_usd
    told = {name: n for name in COUNTS if (n := counts.get(name)) is not None}
    if any(not 0 <= n <= MOST_COUNTED for n in told.values()):
        return None
    used = {name for name, n in told.items() if n > 0}
    if not _says_what_is_billed(found, told) or used & found.lacking:
        return None
    billed = {
        name: max(n, found.least.get(name, 0)) if n > 0 else n
        for name, n in told.items()
    }
    listed = {
        key: billed.get(n) for n, unit in UNITS.items() if (key := unit.usage_key)
    }
    try:
        usd = found.price.calc_price(Usage(**listed))["total_price"]
    except ValueError:  # say, more cached tokens than input
        return None
    return usd + sum(
        (
            usd_each * Decimal(repr(billed.get(name, 0)))
            for name, usd_each in found.usd.items()
        ),
        Decimal(0),
    )


def _says_what_is_billed(found: Found, told: Mapping[str, float]) -> bool:
    if found.by_tokens:
        return "input_tokens" in told or found.free
    return any(name not in found.lacking for name in told)


def find_price(query: PriceQuery, prices: PriceList = ()) -> Found | None:
    """The price of a kind of request: the user's, else the list's, else None.

    >>> found = find_price(PriceQuery(
    ...     "groq", "llama-3.1-8b-instant", None, None, None,
    ...     datetime(2026, 11, 1, tzinfo=UTC),
    ... ))
    >>> found.source, found.price.output_mtok
    ('genai-prices', Decimal('0.08'))
    """
    if query.service_tier == GATEWAY_CACHE:
        return Found(ModelPrice(), "gateway-cache", flat_usd=Decimal(0))
    for entry in prices:
        if _fits(entry, query):
            return _of_user(entry)
    if not query.models or _is_known_to_be_unknown(query):
        return None
    found = _listed(query)
    if found is None:  # a gateway's name may say whose model it is
        elsewhere = (
            query._replace(provider=at.provider, model_actual=at.model)
            for at in listed_by_vendor(query.models[0])
        )
        found = next((there for one in elsewhere if (there := _listed(one))), None)
    return found


def _is_known_to_be_unknown(query: PriceQuery) -> bool:
    """More is billed than is counted; or Azure's price in a region, a tenth above that
    of the list, as LiteLLM names it (its list; Microsoft's page of prices)."""
    provider, model = query.provider or "", query.models[0]
    regional = LISTED_AS.get(
        provider, provider
    ) == "azure" and model.lower().startswith(("eu/", "us/", "azure/eu/", "azure/us/"))
    return regional or documented(provider, model).unknown


def _fits(entry: UserPrice, query: PriceQuery) -> bool:
    day = query.started_at.astimezone(UTC).date()
    provider = (entry.provider or query.provider or "").lower()
    return (
        provider == (query.provider or "").lower()
        and (entry.first_day is None or entry.first_day <= day)
        and (entry.last_day is None or day <= entry.last_day)
        and any(
            fnmatchcase(m.lower(), entry.model.lower()) for m in query.models or ("",)
        )
    )


def _of_user(entry: UserPrice) -> Found:
    price = ModelPrice(
        input_mtok=entry.input_usd_per_mtok,
        output_mtok=entry.output_usd_per_mtok,
        cache_read_mtok=entry.cache_read_usd_per_mtok,
        cache_write_mtok=entry.cache_write_usd_per_mtok,
        output_audio_mtok=entry.output_audio_usd_per_mtok,
        output_image_mtok=entry.output_image_usd_per_mtok,
    )
    each = {
        "web_searches": entry.web_search_usd,
        "other_tool_calls": entry.other_tool_call_usd,
        "image_count": entry.image_usd,
        "audio_seconds": entry.audio_second_usd,
        "input_characters": entry.input_character_usd,
        "rerank_searches": entry.rerank_search_usd,
    }
    usd = {name: price for name, price in each.items() if price is not None}
    return Found(price, "user", usd, _PARTS)


def _listed(query: PriceQuery) -> Found | None:
    if query.provider is None:
        return None
    told = documented(query.provider, query.models[0])
    listed = _looked_up(query)
    price = ModelPrice() if listed is None else listed.price
    source: PriceSource = "genai-prices"
    if all(value is None for value in vars(price).values()):
        # An entry without a price: free, sold by what the list has no unit for, or
        # nobody said.
        source = "documented"
        if told.free and listed is not None:
            price = ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal(0))
        elif not told.usd:
            return None
    times = None if told.unknown else _times(query, listed)
    if times is None:
        return None
    price = in_whole_pusd(price if times == 1 else scaled(price, times))
    free = told.free and price.input_mtok == 0
    with_whole = _PARTS if free else told.with_whole
    return Found(price, source, told.usd, with_whole, told.least, free=free)


class _Entry(NamedTuple):
    """What the list says of a model."""

    model: ModelInfo
    price: ModelPrice
    is_own: bool  # Azure's are OpenAI's, without their tiers


def _looked_up(query: PriceQuery) -> _Entry | None:
    """The entry by which the list's own `calc_price` would go, without a calculation."""
    provider = query.provider or ""
    try:
        seller, model = get_snapshot().find_provider_model(
            query.models[0], None, LISTED_AS.get(provider, provider), None
        )
    except (LookupError, ValueError):
        return None
    is_own = any(model is own for own in seller.models)
    context = _context(query) if is_own else None
    return _Entry(model, model.get_prices(query.started_at, context), is_own)


def _times(query: PriceQuery, listed: _Entry | None) -> Decimal | None:
    """How many times the price its place and tier cost."""
    provider, tier = query.provider or "", query.service_tier
    day = query.started_at.astimezone(UTC).date()
    times = geo_times(provider, query.inference_geo, day)
    if tier is None or tier in STANDARD_TIERS:
        return times
    if listed is not None and _has_variant(listed, query):
        return times
    return _product(times, tier_times(provider, query.models[0], tier))


def _product(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one * other


def _context(query: PriceQuery) -> dict[str, str] | None:
    """The tier in the list's words."""
    tier = query.service_tier
    if tier == "batch":
        return {"processing": tier}
    if tier == "fast" and query.provider == "anthropic":
        return {"speed": tier}
    return None if tier is None else {"service_tier": tier}


def _has_variant(listed: _Entry, query: PriceQuery) -> bool:
    """Whether the list has a price of its own for the tier, on that day."""
    if not listed.is_own:
        return False
    context = _context(query)
    return any(
        variant.when == context
        and (variant.constraint is None or variant.constraint.active(query.started_at))
        for variant in listed.model.price_variants or ()
    )

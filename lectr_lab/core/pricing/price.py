"""What one request cost, exactly: its counts times the price in force at its time.

List prices are those that travel with `genai-prices` (nothing is fetched); a user's
own entries go before them. What neither knows costs None, never 0. The same rule said
over a whole frame is `analysis/pricing/priced.py`; a law test holds the two equal.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import msgspec
from genai_prices import Usage, calc_price
from genai_prices.types import ModelPrice, PriceCalculation

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.gateway_names import listed_by_vendor
from lectr_lab.core.pricing.geo import geo_times
from lectr_lab.core.pricing.tiers import STANDARD_TIERS, scaled, tier_times
from lectr_lab.core.registry import registry

PriceSource = Literal["user", "genai-prices"]

MOST_COUNTED = 10**8
"""More than any request can hold; a reply that counts higher is not believed."""

USAGE_KEYS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_image_tokens": "output_image_tokens",
    "web_searches": "web_searches",
}
"""The event's counts, and what genai-prices calls each."""

LISTED_AS = {name: row.listed_as for name, row in registry().items() if row.listed_as}
LISTED_AS |= {"gcp.gen_ai": "google", "x_ai": "x-ai"}
LISTED_AS |= dict.fromkeys(["azure_ai", "azure.ai.openai"], "azure")
"""Names that genai-prices does not know: ours, OpenTelemetry's and LiteLLM's."""


class UserPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price of the user's own: negotiated, an Azure deployment, a local model."""

    model: str  # a glob, matched without regard to case
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal | None = None  # None: billed as other input
    cache_write_usd_per_mtok: Decimal | None = None
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
    """A price, and whose it is."""

    price: ModelPrice
    source: PriceSource


def price_event(event: Event, prices: PriceList = ()) -> Decimal | None:
    """Price one request, in US dollars, exactly.

    Args:
        event: the request; its counts, models, provider, tier, place and time are used.
        prices: the user's own entries, which go before the list.

    Returns:
        USD, unrounded. None where the reply did not count its input, where no price is
        known, and where the counts contradict each other.

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
    counts = {column: getattr(event, column) for column in USAGE_KEYS}
    return None if found is None else cost_usd(found.price, counts)


def cost_usd(price: ModelPrice, counts: Mapping[str, int | None]) -> Decimal | None:
    """What the counts of an event cost; None as `price_event` says.

    >>> cost_usd(ModelPrice(input_mtok=Decimal("0.30")), {"input_tokens": 1_000})
    Decimal('0.0003')
    """
    if counts["input_tokens"] is None or any(
        (n or 0) > MOST_COUNTED for n in counts.values()
    ):
        return None
    usage = {USAGE_KEYS[column]: n for column, n in counts.items()}
    try:
        return price.calc_price(Usage(**usage))["total_price"]
    except ValueError:  # say, more cached tokens than input
        return None


def find_price(query: PriceQuery, prices: PriceList = ()) -> Found | None:
    """The price of a kind of request: the user's, else the list's, else None.

    >>> found = find_price(PriceQuery(
    ...     "groq", "llama-3.1-8b-instant", None, None, None,
    ...     datetime(2026, 11, 1, tzinfo=UTC),
    ... ))
    >>> found.source, found.price.output_mtok
    ('genai-prices', Decimal('0.08'))
    """
    for entry in prices:
        if _fits(entry, query):
            return Found(_as_model_price(entry), "user")
    price = _list_price(query)
    if price is None and query.models:  # a gateway's name may say whose model it is
        listed = (
            query._replace(provider=at.provider, model_actual=at.model)
            for at in listed_by_vendor(query.models[0])
        )
        price = next((found for one in listed if (found := _list_price(one))), None)
    return None if price is None else Found(price, "genai-prices")


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


def _as_model_price(entry: UserPrice) -> ModelPrice:
    return ModelPrice(
        input_mtok=entry.input_usd_per_mtok,
        output_mtok=entry.output_usd_per_mtok,
        cache_read_mtok=entry.cache_read_usd_per_mtok,
        cache_write_mtok=entry.cache_write_usd_per_mtok,
    )


def _list_price(query: PriceQuery) -> ModelPrice | None:
    if query.provider is None or not query.models:
        return None
    try:
        listed = calc_price(
            Usage(),
            query.models[0],
            provider_id=LISTED_AS.get(query.provider, query.provider),
            genai_request_timestamp=query.started_at,
            price_context=_context(query),
        )
    except (LookupError, ValueError):
        return None
    day = query.started_at.astimezone(UTC).date()
    times = geo_times(query.provider, query.inference_geo, day)
    tier = query.service_tier
    if not (tier is None or tier in STANDARD_TIERS or _has_variant(listed, query)):
        times = _product(times, tier_times(query.provider, query.models[0], tier))
    if times is None or not _is_countable(listed.model_price):
        return None
    return listed.model_price if times == 1 else scaled(listed.model_price, times)


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


def _has_variant(listed: PriceCalculation, query: PriceQuery) -> bool:
    """Whether the list has a price of its own for the tier, on that day."""
    if all(listed.model is not own for own in listed.provider.models):
        return False  # Azure's are priced as OpenAI's, without their tiers
    context = _context(query)
    return any(
        variant.when == context
        and (variant.constraint is None or variant.constraint.active(query.started_at))
        for variant in listed.model.price_variants or ()
    )


def _is_countable(price: ModelPrice) -> bool:
    """Whether our counts can be billed: not what is sold by the second or the letter."""
    units = [key for key, value in vars(price).items() if value is not None]
    return not units or price.input_mtok is not None  # no unit at all: it is free

"""What requests cost in whole 1e-12 USD, one by one and in microseconds, and the dearest
that their tokens can be.

The rule is that of `price_event`; a law test holds the two equal. A price is looked up
once for each kind of request: provider, model, tier, place and quarter of an hour, for
list prices change on days and at full or half hours.
"""

from bisect import bisect_left
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from genai_prices.types import TieredPrices

from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import (
    MOST_COUNTED,
    Found,
    PriceList,
    PriceQuery,
    contradicted,
    cost_usd,
    find_price,
)
from lectr_lab.core.pricing.units import COUNTS, UNITS

PUSD_PER_USD = 10**12

_USUAL = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
)
_OTHERS = tuple(count for count in COUNTS if count not in _USUAL)
_usual, _others = attrgetter(*_USUAL), attrgetter(*_OTHERS)
_names = attrgetter(*PriceQuery._fields)
FRESH_S = 900
"""So long the price of a kind of request stands: list prices change on days and at full
or half hours."""
_MOST_KINDS = 4096
_AUDIO = frozenset({"input_audio_tokens", "cache_read_audio_tokens"})


class Highest(NamedTuple):
    """The most that one more token can cost, in 1e-12 USD."""

    input_pusd: int
    output_pusd: int


class _Kind(NamedTuple):
    """A price as it is used: `rates` is what one more of each usual count adds, None
    where that is no whole number; others hold above each of `starts` of input."""

    found: Found | None
    starts: tuple[int, ...] = ()
    rates: tuple[tuple[int, ...], ...] | None = None
    lacks: tuple[int, ...] = ()  # of the usual counts, those that have no price
    highest: tuple[Highest, Highest] | None = None  # without audio, and with


class Pricer:
    """Prices requests.

    Args:
        prices: the user's own entries, which go before the list.

    >>> from datetime import UTC, datetime
    >>> november = datetime(2026, 11, 1, tzinfo=UTC)
    >>> query = PriceQuery("openai", "gpt-4o-mini", None, None, None, november)
    >>> Pricer().highest(query)
    Highest(input_pusd=150000, output_pusd=600000)
    """

    def __init__(self, prices: PriceList = ()) -> None:
        self._prices = prices
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def cost_pusd(self, event: Event) -> int | None:
        """What a request cost, in 1e-12 USD, rounded up; None where it is not known."""
        kind = self._kind(_names(event))
        found = kind.found
        if found is None:
            return None
        usual = _usual(event)
        if kind.rates is not None and not any(_others(event)) and usual[0] is not None:
            sent, made, read, written, long_written, reasoned = usual
            made, read, written = made or 0, read or 0, written or 0
            long_written, reasoned = long_written or 0, reasoned or 0
            if kind.lacks:
                counts = (sent, made, read, written, long_written, reasoned)
                if any(counts[nth] for nth in kind.lacks):
                    return None
            if (
                0 <= long_written <= written
                and 0 <= read <= sent - written
                and 0 <= reasoned <= made <= MOST_COUNTED
                and sent <= MOST_COUNTED
            ):
                starts, bands = kind.starts, kind.rates
                rates = bands[bisect_left(starts, sent) if starts else 0]
                pusd = sent * rates[0] + made * rates[1]
                if read or written or reasoned:
                    pusd += read * rates[2] + written * rates[3]
                    pusd += long_written * rates[4] + reasoned * rates[5]
                if pusd or not event.cost_stated_usd:
                    return pusd
        usd = cost_usd(found, {name: getattr(event, name) for name in COUNTS})
        if usd is None or contradicted(found, usd, event.cost_stated_usd):
            return None
        return whole_pusd(usd)

    def highest(self, query: PriceQuery, *, audio: bool = False) -> Highest | None:
        """The dearest tokens of a request that is still to be sent.

        Args:
            query: what is known of it; the model it asks for, where none has answered.
            audio: it may hold some, whose tokens have a price of their own.

        Returns:
            None where it has no price, or is not billed by tokens. Every token may be
            one that is written to the cache, or heard, or drawn.
        """
        highest = self._kind(query).highest
        return None if highest is None else highest[audio]

    def _kind(self, query: tuple[Any, ...]) -> _Kind:
        """Of a query, or of its fields in their order."""
        provider, actual, sent, requested, tier, at, geo = query
        quarter = at.timestamp() // FRESH_S
        named = (provider, actual, sent, requested, tier, geo, quarter)
        kind = self._kinds.get(named)
        if kind is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            found = find_price(PriceQuery(*query), self._prices)
            kind = self._kinds[named] = _kind(found)
        return kind


def whole_pusd(usd: Decimal) -> int:
    """US dollars in 1e-12 USD, rounded up.

    >>> whole_pusd(Decimal("0.00045"))
    450000000
    """
    return -int(-usd * PUSD_PER_USD // 1)


def _kind(found: Found | None) -> _Kind:
    if found is None:
        return _Kind(None)
    kind = _Kind(found, highest=_highest(found))
    simple = found.by_tokens and found.flat_usd is None and not found.free
    simple = simple and not (found.price.requests_kcount or found.usd or found.least)
    if not simple:
        return kind
    tiered = [p for p in vars(found.price).values() if isinstance(p, TieredPrices)]
    starts = sorted({tier.start for price in tiered for tier in price.tiers})
    rates = [_rates(found, start) for start in (-1, *starts)]
    if any(rate % 1 for of_band in rates for rate in of_band):
        return kind
    whole = tuple(tuple(map(int, of_band)) for of_band in rates)
    lacks = tuple(nth for nth, name in enumerate(_USUAL) if name in found.lacking)
    return kind._replace(starts=tuple(starts), rates=whole, lacks=lacks)


def _highest(found: Found) -> tuple[Highest, Highest] | None:
    if found.flat_usd is not None:
        return Highest(0, 0), Highest(0, 0)
    if not found.by_tokens:
        return None
    into = ["input_tokens", *UNITS["input_tokens"].parts]
    made = _most(found, ["output_tokens", *UNITS["output_tokens"].parts])
    plain = _most(found, [part for part in into if part not in _AUDIO])
    return Highest(plain, made), Highest(_most(found, into), made)


def _rates(found: Found, above: int) -> list[Decimal]:
    """What one more of each usual count adds, of requests with more input: its price,
    less what it adds to the counts that it is part of."""
    rates: dict[str, Decimal] = {}
    for count in reversed([name for name in UNITS if name in _USUAL]):
        own = _own_pusd(found, count, above)
        wholes = (rates[whole] for whole in rates if count in UNITS[whole].parts)
        rates[count] = Decimal(0) if own is None else own - sum(wholes)
    return [rates[count] for count in _USUAL]


def _own_pusd(found: Found, count: str, above: int) -> Decimal | None:
    """Of one token; None where it has no price of its own."""
    key = UNITS[count].price_key
    usd = getattr(found.price, key) if key else None
    if isinstance(usd, TieredPrices):  # one holds for every token of the request
        reached = [tier.price for tier in usd.tiers if above >= tier.start]
        usd = reached[-1] if reached else usd.base
    return None if usd is None else usd * PUSD_PER_USD / UNITS[count].per


def _most(found: Found, counts: list[str]) -> int:
    """The highest of their prices, rounded up; with tiers, that of the dearest."""
    most = Decimal(0)
    for count in counts:
        key = UNITS[count].price_key
        price = getattr(found.price, key) if key else None
        if price is None:
            continue
        tiers = [price]
        if isinstance(price, TieredPrices):
            tiers = [price.base, *(tier.price for tier in price.tiers)]
        most = max(most, *tiers) if tiers else most
    return -int(-most * PUSD_PER_USD // 10**6)

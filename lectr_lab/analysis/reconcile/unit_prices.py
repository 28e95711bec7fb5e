"""What one more of a count adds to a bill: a token, a search, a picture.

Exports have sums of a day. A price of a sum is not the sum of prices, where long prompts
cost more; so each count is priced by what it adds to a made-up call, of the model, the
day and the dimensions that the export names.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache

import msgspec

from lectr_lab.analysis.reconcile.exports.shape import Dimensions
from lectr_lab.core.event import Event
from lectr_lab.core.pricing.price import PriceList, price_event
from lectr_lab.core.pricing.units import UNITS

_NOT_SAID = ("reasoning_tokens",)  # by no export: they are part of the output

LONG_PROMPT_TOKENS = 200_000
"""Above this a provider's export calls a prompt long."""

TOKENS = tuple(n for n, unit in UNITS.items() if not unit.apart and n not in _NOT_SAID)
OTHERS = tuple(name for name, unit in UNITS.items() if unit.apart)
COUNTS = (*TOKENS, *OTHERS)
"""What exports and the log both count, of the log's columns."""

_SHORT, _LONG = 1_000, 300_000  # tokens of the made-up call
_OPERATIONS = {
    "image_count": "images",
    "audio_seconds": "audio",
    "input_characters": "audio",
    "rerank_searches": "rerank",
}


class UnitPrices:
    """Prices of single counts, each looked up once."""

    def __init__(self, provider: str, prices: PriceList = ()) -> None:
        self._provider, self._prices = provider, prices
        self._added = cache(self._look_up)

    def usd(
        self,
        model: str,
        day: date,
        dimensions: Dimensions,
        counts: Mapping[str, float],
        requests: int | None = 0,
    ) -> float | None:
        """What counts of a day cost, in USD; None where one of them has no price.

        Where each request has a fee, it needs to be known how many there were.

        >>> day = date(2026, 11, 2)
        >>> UnitPrices("openai").usd(
        ...     "gpt-4o-mini", day, Dimensions("batch"), {"input_tokens": 1_000_000}
        ... )
        0.075
        """
        total = Decimal(0)
        for name, n in counts.items():
            if n:
                each = self._added(model, day, dimensions, name)
                if each is None:
                    return None
                total += each * Decimal(str(n))
        if counts.get("input_tokens") and (fee := self._fee(model, day, dimensions)):
            if requests is None:
                return None
            total += fee * requests
        return float(total)

    def _fee(self, model: str, day: date, dimensions: Dimensions) -> Decimal | None:
        """What a request costs whatever it counted."""
        many = _LONG if dimensions.long else _SHORT
        each = self._added(model, day, dimensions, "input_tokens")
        whole = self._price(model, day, dimensions, "", {"input_tokens": many})
        return None if each is None or whole is None else whole - each * many

    def differs(
        self, model: str, day: date, one: Dimensions, other: Dimensions
    ) -> bool:
        """Whether a model has prices for both, and they are not the same."""
        usd = [self._added(model, day, d, "input_tokens") for d in (one, other)]
        return None not in usd and usd[0] != usd[1]

    def _look_up(
        self, model: str, day: date, dimensions: Dimensions, name: str
    ) -> Decimal | None:
        """What one of a count adds to a call that has the same without it."""
        many = _LONG if dimensions.long else _SHORT

        def usd(counts: Mapping[str, int]) -> Decimal | None:
            return self._price(model, day, dimensions, name, counts)

        if name in _OPERATIONS:  # a call may have nothing else
            alone = usd({name: many})
            return None if alone is None else alone / many
        if name == "input_tokens":
            with_it, without = usd({name: 2 * many}), usd({name: many})
        else:
            # Input enough for all of its parts, of which none is within another.
            wholes = (whole for whole, unit in UNITS.items() if name in unit.parts)
            base = dict.fromkeys(wholes, many) | {"input_tokens": 3 * many}
            with_it, without = usd(base | {name: many}), usd(base | {name: 0})
        if with_it is None or without is None:
            return None
        return (with_it - without) / many

    def _price(
        self,
        model: str,
        day: date,
        dimensions: Dimensions,
        name: str,
        counts: Mapping[str, int],
    ) -> Decimal | None:
        tier = dimensions.tier
        call = Event(
            event_id=bytes(16),
            started_at=datetime.combine(day, time(12), UTC),
            org="",
            path="",
            operation="chat",
            outcome="ok",
            total_ms=0.0,
            provider=self._provider,
            model_actual=model,
            service_tier=None if tier == "standard" else tier,
            inference_geo=dimensions.geo or None,
        )
        counted = {"operation": _OPERATIONS.get(name, "chat"), **counts}
        return price_event(msgspec.structs.replace(call, **counted), self._prices)

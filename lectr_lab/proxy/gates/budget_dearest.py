"""The most that a request can cost: its bound in tokens, each at the dearest price."""

from typing import NamedTuple

from lectr_lab.budgets.bounds import Bounds, Model
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.pricing.pusd import FRESH_S, Highest
from lectr_lab.proxy.gates.budget_prices import Prices

UNKNOWN = 1
"""1e-12 USD, of a request whose model nobody knows: it is refused where nothing is left
at all."""

_MOST_KNOWN = 4096


class _Price(NamedTuple):
    """Of a kind of request, for so long; None: it has no price."""

    highest: Highest | None
    begins_s: float
    ends_s: float
    answers_as: str | None


class Dearest:
    """What is known of prices and bounds, by kinds of requests.

    Args:
        prices: of the lab.
        bounds: what was seen of its models.
    """

    def __init__(self, prices: Prices, bounds: Bounds) -> None:
        self._prices, self._bounds = prices, bounds
        self._known: dict[tuple[Model, str | None, bool], _Price] = {}

    def of(self, exchange: Exchange, at_s: float) -> tuple[int, bool]:
        """The most that a request can cost.

        Args:
            exchange: it is to be sent.
            at_s: when it began, seconds since 1970.

        Returns:
            1e-12 USD, 0 where its model has no price; and whether it cannot cost more.
        """
        request, target = exchange.request, exchange.target
        name = exchange.model_sent or request.model
        if target is None or name is None:
            return UNKNOWN, False
        model = self._bounds.model(target.provider, name)
        audio = request.has_audio
        kind = (model, request.service_tier_requested, audio is not False)
        price = self._known.get(kind)
        if (
            price is None
            or not price.begins_s <= at_s < price.ends_s
            or price.answers_as != model.answers_as
        ):
            price = self._price(exchange, name, kind, at_s)
        highest = price.highest
        if highest is None:
            return 0, True
        plain = not (exchange.request_encoding or request.facts_truncated)
        sent, written, certain = model.bound(
            exchange.operation,
            exchange.request_bytes if plain else None,
            request.max_output_tokens,
            request.answers,
            request.has_tools,
            request.has_images or audio,
        )
        return sent * highest[0] + written * highest[1], certain

    def _price(
        self,
        exchange: Exchange,
        name: str,
        kind: tuple[Model, str | None, bool],
        at_s: float,
    ) -> _Price:
        answers_as = kind[0].answers_as
        highest = self._prices.highest(exchange, name, answers_as)
        begins_s = at_s // FRESH_S * FRESH_S
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        price = _Price(highest, begins_s, begins_s + FRESH_S, answers_as)
        self._known[kind] = price
        return price

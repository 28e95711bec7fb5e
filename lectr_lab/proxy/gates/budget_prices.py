"""What budgets ask of prices. The list comes with the `lab` extra and is large: only this
module, which is loaded where there is a budget, asks for it."""

from datetime import UTC, datetime

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.model_catalog import known_model
from lectr_lab.core.pricing.price import PriceList, PriceQuery
from lectr_lab.core.pricing.pusd import Highest, Pricer

_USUAL = frozenset({"auto", "default", "standard", "on_demand", "standard_only"})


class Prices:
    """Prices by the words of requests.

    Args:
        own: the user's entries, which go before the list.
    """

    def __init__(self, own: PriceList = ()) -> None:
        self._pricer = Pricer(own)
        self.cost_pusd = self._pricer.cost_pusd
        # The lists are decoded when they are first asked: not by a request.
        now = datetime.now(UTC)
        self._pricer.highest(PriceQuery("openai", None, "gpt-4o", None, None, now))
        known_model("openai", "gpt-4o")

    def highest(
        self, exchange: Exchange, model: str, answers_as: str | None
    ) -> Highest | None:
        """The dearest tokens of a request that is to be sent; None: it has no price.

        Args:
            exchange: the request.
            model: what it is to be sent to.
            answers_as: what that called itself when it was last asked.
        """
        target, request = exchange.target, exchange.request
        found = [
            self._highest(
                PriceQuery(
                    target.provider if target else None,
                    None,
                    name,
                    None,
                    None,
                    exchange.started_at,
                ),
                request.service_tier_requested,
                audio=request.has_audio is not False,
            )
            for name in dict.fromkeys((model, answers_as or model))
        ]
        return _dearest(found)

    def highest_of(self, event: Event) -> Highest | None:
        """Likewise of one that is over."""
        names = (event.model_actual, event.model_sent, event.model_requested)
        return self._highest(
            PriceQuery(event.provider, *names, None, event.started_at),
            event.service_tier_requested,
            audio=event.has_audio is not False,
        )

    def _highest(
        self, query: PriceQuery, tier: str | None, *, audio: bool
    ) -> Highest | None:
        """A provider may serve by the usual tier what asked for another."""
        usual = self._pricer.highest(query, audio=audio)
        if usual is None or tier is None or tier in _USUAL:
            return usual
        asked = self._pricer.highest(query._replace(service_tier=tier), audio=audio)
        return _dearest([usual, asked])


def _dearest(found: list[Highest | None]) -> Highest | None:
    known = [one for one in found if one is not None]
    return Highest(*map(max, *known)) if len(known) > 1 else next(iter(known), None)

"""What one more of each count adds to a cost, read off the scalar rule itself.

Within one kind of request (names, time, band of input length), and for counts that do
not contradict each other, a cost is a fixed sum and so much for each of what was
counted. So requests of a kind cost together what their summed counts do.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from lectr_lab.analysis.views.money import PUSD_PER_USD
from lectr_lab.core.pricing import ModelPrice, TieredPrices
from lectr_lab.core.pricing.price import Found, cost_usd
from lectr_lab.core.pricing.units import UNITS

_WHOLES = ("input_tokens", "output_tokens")


class Linear(NamedTuple):
    """In 1e-12 USD: what a request costs before anything is counted, and one of each
    count."""

    flat_pusd: Decimal
    each_pusd: dict[str, Decimal]


def linear(found: Found, input_tokens: int, told: Mapping[str, bool]) -> Linear | None:
    """How requests of a kind are billed; None where what they cost is not known.

    Args:
        found: the kind's price.
        input_tokens: a length in its band.
        told: of the counts that were said, whether they are above 0.

    >>> mini = ModelPrice(input_mtok=Decimal("0.15"), output_mtok=Decimal("0.60"))
    >>> billed = linear(Found(mini, "genai-prices"), 0, {"input_tokens": True})
    >>> int(billed.flat_pusd), int(billed.each_pusd["input_tokens"])
    (0, 150000)
    >>> linear(Found(mini, "genai-prices"), 0, {"output_tokens": True})
    """
    found = found._replace(price=at_length(found.price, input_tokens))
    one = {name: _like(name) if some else 0 for name, some in told.items()}
    before = cost_usd(found, one)
    if before is None:
        return None
    each: dict[str, Decimal] = {}
    for name, some in told.items():
        after = cost_usd(found, one | {name: one[name] + 1}) if some else before
        if after is None:
            return None
        each[name] = (after - before) * PUSD_PER_USD
    flat = before * PUSD_PER_USD - sum(
        (pusd * one[name] for name, pusd in each.items()), Decimal(0)
    )
    return Linear(flat, each)


def at_length(price: ModelPrice, input_tokens: int) -> ModelPrice:
    """The prices that hold for a request with so much input, without tiers."""
    return ModelPrice(
        **{
            key: _reached(usd, input_tokens) if isinstance(usd, TieredPrices) else usd
            for key, usd in vars(price).items()
        }
    )


def _reached(usd: TieredPrices, input_tokens: int) -> Decimal:
    # A tier's price holds for every token of a request that reaches it.
    reached = [tier.price for tier in usd.tiers if input_tokens > tier.start]
    return reached[-1] if reached else usd.base


def _like(name: str) -> int:
    """How many a usual request has of a count: a whole has more than its parts."""
    if name in _WHOLES:
        return 4096
    return 64 if UNITS[name].parts else 1

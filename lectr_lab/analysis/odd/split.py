"""Why a spend changed, in dollars that add up to the change: Shapley over six factors.

What traffic costs is requests x models' shares x (input x (new, cached or written to the
cache) x price + answer x price). Each factor's part is what it changes on average over
all orders in which the six could have changed, one after the other; so parts add up to
the change whatever it is, and a change of one factor is all that factor's.
Source: Shapley, A Value for n-Person Games (1953); as a decomposition, Shorrocks,
Decomposition procedures for distributional analysis (2013).
"""

from math import factorial
from typing import NamedTuple

import numpy as np

from lectr_lab.analysis.odd.predict import Array

FACTORS = ("requests", "models", "cache", "prompt", "answer", "price")
"""What a change is split into, in the order of `Parts`."""

_TERMS = {
    "requests": ("requests",),
    "models": ("share",),
    "cache": ("cached", "written"),
    "prompt": ("input_tokens",),
    "answer": ("output_tokens",),
    "price": ("input_usd", "cached_usd", "written_usd", "output_usd", "request_usd"),
}


class Traffic(NamedTuple):
    """What was asked in some time, by model; all arrays have a place for each model.

    NaN where a model was not asked, and so nothing is known of it.
    """

    requests: float
    share: Array  # of requests; NaN where none was asked of any model
    input_tokens: Array  # a request
    cached: Array  # the share of input read from the cache
    written: Array  # the share of input written to it
    output_tokens: Array  # a request
    input_usd: Array  # a token, as are the next three
    cached_usd: Array
    written_usd: Array
    output_usd: Array
    request_usd: Array  # a request, where tokens do not say it

    def usd(self) -> float:
        """What it cost."""
        new = 1 - self.cached - self.written
        token = new * self.input_usd + self.cached * self.cached_usd
        token = token + self.written * self.written_usd
        each = self.input_tokens * token + self.output_tokens * self.output_usd
        paid = self.requests * self.share * (each + self.request_usd)
        return float(np.nansum(paid))


def parts(before: Traffic, now: Traffic) -> dict[str, float]:
    """The dollars of each factor, which add up to the change.

    A model that is seen on one side alone lends its figures to the other, where its
    share is 0: all its money is `models`.

    Args:
        before: what was expected.
        now: what was asked, of the same models.

    Returns:
        USD by the names of `FACTORS`; they sum to `now.usd() - before.usd()`.

    >>> one = np.ones(1)
    >>> was = Traffic(10, one, 100 * one, 0 * one, 0 * one, 5 * one, *[one / 1e3] * 4,
    ...     0 * one)
    >>> found = parts(was, was._replace(requests=20))
    >>> round(found["requests"], 9), round(sum(found.values()), 9)
    (1.05, 1.05)
    """
    first, second = _lent(before, now), _lent(now, before)
    n = len(FACTORS)
    usd = [_mixed(first, second, bits).usd() for bits in range(2**n)]
    weight = [factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)]
    found = {}
    for i, name in enumerate(FACTORS):
        without = (bits for bits in range(2**n) if not bits >> i & 1)
        found[name] = sum(
            weight[bits.bit_count()] * (usd[bits | 1 << i] - usd[bits])
            for bits in without
        )
    return found


def _lent(one: Traffic, other: Traffic) -> Traffic:
    """What is not known of a model on one side, as it was on the other."""
    filled = (
        np.nan_to_num(np.where(np.isnan(mine), theirs, mine))
        for mine, theirs in zip(one[1:], other[1:], strict=True)
    )
    return Traffic(one.requests, *filled)


def _mixed(before: Traffic, now: Traffic, bits: int) -> Traffic:
    changed = {
        term: getattr(now, term)
        for i, name in enumerate(FACTORS)
        if bits >> i & 1
        for term in _TERMS[name]
    }
    return before._replace(**changed)

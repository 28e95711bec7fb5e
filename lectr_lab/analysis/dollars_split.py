"""A change of dollars, split among what made it, to the last digit.

What a model costs in a span is a sum of products: requests x the model's share of them x
tokens a request x what part of these is of a kind (plain, read from a cache, written to
it) x the price of that kind. Each factor gets its Shapley value: what its own change
adds, in the mean of all orders in which the factors could have changed (L. S. Shapley, "A
value for n-person games", 1953). So the parts sum to the change, a factor that did not
change has no part, and one that changed alone has all of it.

What a span does not show is taken from the other one: of a model that came or went, all
but its share; of a group that came or went, all but its requests.
"""

from collections.abc import Mapping, Sequence
from itertools import compress, product
from math import factorial, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

PROMPT_KINDS = ("input", "cache_read", "cache_write")
"""Kinds of tokens that a prompt is made of; `input` is what no cache had or took."""

KINDS = (*PROMPT_KINDS, "output")
PARTS = ("requests", "models", "prompt", "cache", "answer", "price", "other")
"""What a change is split into: how many requests, which models, tokens of prompt a
request, how much of them a cache had, tokens of answer, the price of a token, and what is
billed by other units, such as searches."""

Floats = NDArray[np.float64]


class Use(NamedTuple):
    """What was used in a span and billed: arrays with a number for each model.

    Where there are dollars there are requests.
    """

    requests: ArrayLike
    tokens: Mapping[str, ArrayLike]  # of each of `KINDS`; what is left out is 0
    usd: Mapping[str, ArrayLike]  # of each of `KINDS`; likewise
    other_usd: ArrayLike = 0.0  # what is billed by no token


class _Factors(NamedTuple):
    """What multiplies to dollars; nan where a span does not show it."""

    requests: Floats
    share: Floats
    prompt: Floats
    kinds: tuple[Floats, ...]
    answer: Floats
    prices: tuple[Floats, ...]
    other: Floats


def split(
    before: Use, after: Use, group: Sequence[int] | NDArray[np.int64] | None = None
) -> dict[str, Floats]:
    """The parts of a change in dollars, of each model.

    Args:
        before: what was used, with a number for each model.
        after: the same models, in the same order.
        group: of each model the number of its group, from 0, where several groups are
            split at once: shares are of a group's requests. Without it all are one.

    Returns:
        `PARTS`, in US dollars, a number for each model: together they are what that
        model cost after, less what it cost before.

    >>> def use(requests, prompt):
    ...     return Use([requests], {"input": [requests * prompt]},
    ...                {"input": [requests * prompt * 2e-6]})
    >>> parts = split(use(100, 1_000), use(200, 1_500))
    >>> {name: round(float(usd.sum()), 6) for name, usd in parts.items() if usd.any()}
    {'requests': 0.25, 'prompt': 0.15}
    """
    n = np.atleast_1d(np.asarray(before.requests, np.float64)).size
    groups = np.zeros(n, np.int64) if group is None else np.asarray(group, np.int64)
    old, new = _lent(_factors(before, groups), _factors(after, groups))
    parts = {name: np.zeros(n) for name in PARTS}
    for names, factors in _products(old, new):
        shapley = product_parts([b for b, _ in factors], [a for _, a in factors])
        for name, usd in zip(names, shapley, strict=True):
            parts[name] += usd
    return parts


def product_parts(before: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """The Shapley values of the factors of a product that changed.

    Args:
        before: the factors, as numbers or as arrays of one length.
        after: the same, in the same order.

    Returns:
        A part for each factor; they sum to the product after less that before.

    >>> product_parts([10, 2.0], [20, 3.0])
    [25.0, 15.0]
    """
    k = len(before)
    parts = []
    for i in range(k):
        others = [j for j in range(k) if j != i]
        total = 0.0
        for changed in product((False, True), repeat=k - 1):
            n = sum(changed)
            weight = factorial(n) * factorial(k - 1 - n) / factorial(k)
            new = prod(after[j] for j in compress(others, changed))
            old = prod(before[j] for j in compress(others, [not c for c in changed]))
            total = total + weight * (new * old)
        parts.append((after[i] - before[i]) * total)
    return parts


def _factors(use: Use, groups: NDArray[np.int64]) -> _Factors:
    def numbers(some: ArrayLike) -> Floats:
        return np.broadcast_to(np.asarray(some, np.float64), groups.shape)

    n = numbers(use.requests)
    tokens = {kind: numbers(use.tokens.get(kind, 0.0)) for kind in KINDS}
    usd = {kind: numbers(use.usd.get(kind, 0.0)) for kind in KINDS}
    # What costs though no token of it was counted is not billed by tokens.
    other = numbers(use.other_usd) + sum(
        np.where(tokens[kind] == 0, usd[kind], 0.0) for kind in KINDS
    )
    sums = np.bincount(groups, n).astype(np.float64)
    all_of_it = sums[groups] if n.size else n
    prompt = sum((tokens[kind] for kind in PROMPT_KINDS), np.zeros(n.shape))
    return _Factors(
        all_of_it,
        _ratio(n, all_of_it),
        _ratio(prompt, n),
        tuple(_ratio(tokens[kind], prompt) for kind in PROMPT_KINDS),
        _ratio(tokens["output"], n),
        tuple(_ratio(usd[kind], tokens[kind]) for kind in KINDS),
        _ratio(other, n),
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)


def _lent(one: _Factors, other: _Factors) -> tuple[_Factors, _Factors]:
    """Both, with what one does not show taken from the other; 0 where neither does."""

    def filled(own: Any, others: Any) -> Any:
        if isinstance(own, tuple):
            return tuple(filled(*pair) for pair in zip(own, others, strict=True))
        return np.nan_to_num(np.where(np.isnan(own), others, own))

    return (
        _Factors(*(filled(*pair) for pair in zip(one, other, strict=True))),
        _Factors(*(filled(*pair) for pair in zip(other, one, strict=True))),
    )


def _products(
    old: _Factors, new: _Factors
) -> list[tuple[tuple[str, ...], list[tuple[Floats, Floats]]]]:
    """The products that dollars are the sum of: the names of their factors, and these
    before and after."""
    calls = [(old.requests, new.requests), (old.share, new.share)]
    prompt, answer = (old.prompt, new.prompt), (old.answer, new.answer)
    kinds = list(zip(old.kinds, new.kinds, strict=True))
    prices = list(zip(old.prices, new.prices, strict=True))
    read = ("requests", "models", "prompt", "cache", "price")
    found: list[tuple[tuple[str, ...], list[tuple[Floats, Floats]]]] = [
        (read, [*calls, prompt, kinds[i], prices[i]]) for i in range(len(PROMPT_KINDS))
    ]
    found.append(
        (("requests", "models", "answer", "price"), [*calls, answer, prices[-1]])
    )
    found.append((("requests", "models", "other"), [*calls, (old.other, new.other)]))
    return found

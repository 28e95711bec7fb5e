"""What an hour of a series will be, from the hours before it: experts, and their weights.

Each expert says something simple: the mean of the week; the same hour on the last seven
days; the same hour of the last four weeks; and these times the level of the last day, or
of the last three hours. An expert counts as far as it has been right: its weight is the
inverse square of its mean squared error over the past week, times the square of the part
of that week it could speak for. So the hour of the week counts where it has predicted.

All arrays are series by hours. `seen` is 1 where an hour may serve as history.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

HOUR = 12  # cells of five minutes
DAY, WEEK = 24, 168  # hours

_LEAST = 1e-9
_LEVEL_COUNT = 4.0  # pseudo requests that hold a level near 1
_LEVEL_MEAN = 20.0  # pseudo requests that hold a level of a mean near 0
_TOWARDS_WEEK = 10.0  # requests by which the hour of a day leans on the week's mean


class Clock(NamedTuple):
    """How far each hour's wall clock is from UTC, in whole hours."""

    offsets: NDArray[np.int64]

    def ago(self, lag: int) -> NDArray[np.int64]:
        """The hour that showed the same time `lag` hours before on that clock; -1 where
        the record had not begun."""
        offsets = self.offsets
        place = np.arange(len(offsets)) - lag
        there = np.clip(place, 0, None)
        return np.where(place < 0, -1, there + offsets - offsets[there])


def sums(values: Array) -> Array:
    """Sums of what lies before each place, and one more of everything."""
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def trailing(values: Array, width: int, lag: int = 0) -> Array:
    """Of each hour, the sum over `width` hours that end `lag` hours before it.

    With a lag of 0 the hour itself is the last of them.

    >>> trailing(np.array([[1.0, 2.0, 4.0]]), width=2, lag=1)
    array([[0., 1., 3.]])
    """
    upto = sums(values)
    out = np.zeros(values.shape)
    out[:, lag:] = upto[:, 1 : max(upto.shape[1] - lag, 1)]
    out[:, lag + width :] -= upto[:, 1 : max(upto.shape[1] - lag - width, 1)]
    return out


def past_week(values: Array, seen: Array, lag: int) -> Array:
    """The sum over the week's history that ends `lag` hours before the hour before."""
    return trailing(values * seen, WEEK, 1 + lag)


def expected(
    total: Array,
    weight: Array,
    *,
    clock: Clock,
    lag: int = 0,
    counts: bool = False,
) -> tuple[Array, Array]:
    """The mean, or the rate, that each hour will show, and how far experts disagree.

    Args:
        total: what was added up in each hour, 0 where it is no history.
        weight: of how many, or 1 an hour for counts; 0 where it is no history.
        clock: of the days that experts go by.
        lag: hours right before each that must not be looked at.
        counts: `total` is a number of events: errors are measured on its square root,
            and levels multiply. Else it is a sum of measures, and levels add.

    Returns:
        `total` a `weight`, as expected; and the variance of what the experts said, by
        their weights, on the scale on which errors are measured.
    """
    gain = _root if counts else _same
    shown = gain(total / np.maximum(weight, _LEAST))
    flat_n = trailing(weight, WEEK, 1 + lag)
    flat = trailing(total, WEEK, 1 + lag) / np.maximum(flat_n, _LEAST)
    known = flat_n > 0
    judged = weight * known
    spoken = np.maximum(trailing(judged, WEEK, 1 + lag), _LEAST)
    above, below, squares = (np.zeros_like(total) for _ in range(3))
    for can, each in _experts(total, weight, flat, known, clock, lag, counts):
        asked = judged * can
        part = trailing(asked, WEEK, 1 + lag)
        share = np.minimum(1, part / spoken)
        speaks = can & (part > 0)
        least = np.maximum(part, _LEAST)
        for says in each:
            said = gain(says)
            wrong = trailing(np.square(shown - said) * asked, WEEK, 1 + lag)
            error = np.maximum(wrong / least, _LEAST)
            trust = np.square(share / error) * speaks
            weighed = trust * said
            above += weighed
            squares += weighed * said
            below += trust
    some, of = below > 0, np.maximum(below, 1e-300)
    best = np.where(some, above / of, gain(flat))
    apart = np.where(some, np.maximum(squares / of - best**2, 0), 0)
    return np.maximum(best**2 - 0.375, 1e-3) if counts else best, apart


def _same(values: Array) -> Array:
    return values


def _root(values: Array) -> Array:
    """Anscombe's root, on which counts of any size err alike."""
    return np.sqrt(np.maximum(values, 0) + 0.375)


def _experts(
    total: Array,
    weight: Array,
    flat: Array,
    known: NDArray[np.bool_],
    clock: Clock,
    lag: int,
    counts: bool,
) -> Sequence[tuple[NDArray[np.bool_], Sequence[Array]]]:
    """When experts can speak, and what those who can then say."""
    near, near_n = _neighbours(total), _neighbours(weight)
    days = range(DAY, WEEK + 1, DAY)
    weeks = range(WEEK, 4 * WEEK + 1, WEEK)
    daily, daily_n = (_back(v, clock, days) for v in (near, near_n))
    weekly, weekly_n = (_back(v, clock, weeks) for v in (near, near_n))
    of_day, of_week = daily_n > 0, weekly_n > 0
    lean = 0.0 if counts else _TOWARDS_WEEK
    by_day = (daily + lean * flat) / np.maximum(daily_n + lean, _LEAST)
    by_week = weekly / np.maximum(weekly_n, _LEAST)

    had = {hours: trailing(total, hours, 1 + lag) for hours in (DAY, 3)}
    of = {} if counts else {h: trailing(weight, h, 1 + lag) + _LEVEL_MEAN for h in had}

    def levelled(says: Array, hours: int) -> Array:
        was, meant = had[hours], trailing(says * weight, hours, 1 + lag)
        if counts:
            return says * (was + _LEVEL_COUNT) / (meant + _LEVEL_COUNT)
        return says + (was - meant) / of[hours]

    return (
        (known, (flat,)),
        (of_day, (by_day, levelled(by_day, DAY), levelled(by_day, 3))),
        (of_week, (by_week, levelled(by_week, DAY), levelled(by_week, 3))),
    )


def _neighbours(values: Array) -> Array:
    """Each hour with the one before and the one after."""
    out = values.copy()
    out[:, 1:] += values[:, :-1]
    out[:, :-1] += values[:, 1:]
    return out


def _back(values: Array, clock: Clock, lags: Sequence[int]) -> Array:
    """The sum over the hours that so many hours of the wall clock lie back."""
    out = np.zeros_like(values)
    if (clock.offsets == clock.offsets[0]).all():  # in a fifth of the time
        for lag in lags:
            out[:, lag:] += values[:, : max(values.shape[1] - lag, 0)]
        return out
    padded = np.concatenate([values, np.zeros((values.shape[0], 1))], axis=1)
    for lag in lags:
        out += padded[:, clock.ago(lag)]
    return out

"""The mean of days to come, from days seen: where it will lie, and not what it "is".

Traffic drifts: it launches, grows and ends. So the logarithm of a day's spend is a level
that walks at random, plus what its weekday adds, plus noise of its own. How large walk
and weekdays are beside the noise is not known from a few days, so each of a few sizes
has its say, by how well it fits; small walks count for less, for real clients drift. For
each, the mean of the days ahead is Goldberger's best linear prediction, and lies in a
Student's t distribution. A mean of logarithms is no logarithm of a mean: Duan's smearing
estimate stands between.

Sources: Goldberger, JASA 57 (1962), 369-375; Harvey, Forecasting, Structural Time Series
Models and the Kalman Filter (1989), 2.3 (random walk plus noise); Duan, JASA 78 (1983),
605-610. Sizes, their weights and the one day of doubt are ours, looked for on the open
half of ServeGen's clients (Xiang et al. 2025, Apache-2.0) and not tuned on others. How
often the intervals cover is in `data/interval_coverage.md`.
"""

from collections.abc import Sequence
from itertools import product
from math import exp, log
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

LEAST_DAYS = 7
"""Fewer days than a week say nothing of what comes."""

MOST_DAYS = 84
"""The latest twelve weeks: what was before them says nothing more."""

_WEEK = 7
# Variances beside that of the noise, each with its weight.
_WALKS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
_WALK_WEIGHTS = (0.025,) * 4 + (0.18,) * 5
_WEEKDAYS = (0.0, 1.0, 10.0)
# A prior of the noise: one day that varied by a fifth. The same on all days is no proof.
_PRIOR_DAYS = 1
_PRIOR_SD = 0.2
_NOTHING = 0.02  # of a mean day: what a day without spend counts as, in logarithms
_FAR = 1e4

_Array: TypeAlias = NDArray[np.float64]


class Ahead(NamedTuple):
    """The mean of some days to come, in USD a day: its middle and its interval."""

    mean: float
    low: float
    high: float


class Drift(NamedTuple):
    """What is known of the days after those seen; made by `drift`."""

    scale: float  # USD: the mean day seen
    smear: float
    weights: _Array
    centres: _Array  # by model, then by how many days ahead the mean reaches
    spreads: _Array
    freedom: int

    def ahead(self, days: int, confidence: float = 0.9) -> Ahead:
        """The mean of so many next days, with the interval that holds it so often."""
        half = confidence / 2
        mean, low, high = (
            self._usd(self._quantile(share, days))
            for share in (0.5, 0.5 - half, 0.5 + half)
        )
        return Ahead(mean, low, high)

    def chance_above(self, usd_day: float, days: int) -> float:
        """How likely the mean of so many next days is above so many USD, 0 to 1."""
        if usd_day <= 0:
            return 1.0
        return 1 - self._below(log(usd_day / self.scale + _NOTHING) - self.smear, days)

    def _usd(self, at: float) -> float:
        return self.scale * max(exp(min(at + self.smear, 300.0)) - _NOTHING, 0.0)

    def _below(self, at: float, days: int) -> float:
        scaled = (at - self.centres[:, days - 1]) / self.spreads[:, days - 1]
        return float(self.weights @ stdtr(self.freedom, scaled))

    def _quantile(self, share: float, days: int) -> float:
        from scipy.optimize import brentq  # it loads slowly

        centres, spreads = self.centres[:, days - 1], self.spreads[:, days - 1]
        low, high = (centres - _FAR * spreads).min(), (centres + _FAR * spreads).max()
        return float(brentq(lambda at: self._below(at, days) - share, low, high))


def drift(daily_usd: Sequence[float], most_ahead: int) -> Drift | None:
    """What days seen say of days to come.

    Args:
        daily_usd: one value per whole day, in order and without gaps, none below 0: a
            day without traffic is a 0 among them.
        most_ahead: how many days ahead will be asked about, at least 1.

    Returns:
        None for fewer than 7 days, or where nothing was spent.

    Raises:
        ValueError: a value is below 0 or not finite.

    >>> week = [4.0, 5.0, 4.5, 6.0, 5.5, 1.0, 1.5]
    >>> found = drift(week * 4, 7).ahead(7)
    >>> round(found.mean, 1), found.low < 3.9 < found.high
    (3.9, True)
    >>> drift(week[:6], 7) is None
    True
    """
    days = np.asarray(daily_usd, dtype=np.float64)[-MOST_DAYS:]
    if not np.isfinite(days).all() or (days < 0).any():
        raise ValueError("a day's spend is below 0, or not a finite number")
    if len(days) < LEAST_DAYS or not days.any():
        return None
    scale = float(days.mean())
    relative = days / scale + _NOTHING
    logs = np.log(relative)
    smear = float(np.log(relative.mean()) - logs.mean())
    pairs = product(zip(_WALKS, _WALK_WEIGHTS, strict=True), _WEEKDAYS)
    found = [
        _prediction(logs, most_ahead, walk, weekdays, log(weight))
        for (walk, weight), weekdays in pairs
    ]
    log_weights = np.array([log_weight for *_, log_weight in found])
    weights = np.exp(log_weights - log_weights.max())
    return Drift(
        scale,
        smear,
        weights / weights.sum(),
        np.array([centres for centres, *_ in found]),
        np.array([spreads for _, spreads, _ in found]),
        len(days) - 1 + _PRIOR_DAYS,
    )


def _prediction(
    logs: _Array, ahead: int, walk: float, weekdays: float, log_weight: float
) -> tuple[_Array, _Array, float]:
    """For one size of walk and weekdays: of the mean of the next 1, 2, … days the
    centre and the spread, and how likely it makes the days seen."""
    n = len(logs)
    at = np.arange(n + ahead)
    covariance = (
        walk * np.minimum.outer(at, at)
        + weekdays * (at[:, None] % _WEEK == at % _WEEK)
        + np.eye(n + ahead)
    ) / (1 + walk + weekdays)
    # Column h: the mean of the first h + 1 days ahead.
    means = np.triu(np.ones((ahead, ahead))) / np.arange(1, ahead + 1)
    seen, beside = covariance[:n, :n], covariance[:n, n:] @ means
    own = np.einsum("ij,ik,kj->j", means, covariance[n:, n:], means)
    inverse = np.linalg.inv(seen)
    known = inverse.sum(0)
    information = known.sum()
    level = known @ logs / information
    residual = logs - level
    freedom = n - 1 + _PRIOR_DAYS
    squares = residual @ inverse @ residual + _PRIOR_DAYS * _PRIOR_SD**2
    centres = level + beside.T @ inverse @ residual
    left = own - np.einsum("ij,ik,kj->j", beside, inverse, beside)
    left += (1 - known @ beside) ** 2 / information
    determinant = np.linalg.slogdet(seen)[1] + np.log(information)
    log_weight -= float(determinant + freedom * np.log(squares)) / 2
    return centres, np.sqrt(squares / freedom * left), log_weight

"""From z to how often chance would show the like: expected false alarms.

A normal tail is a model, and real traffic has longer ones. So each series, kind and
window is held against its own past: the largest z of each hour of the last fortnight,
ranked. If chance alone made these, the k-th largest would be about the z that k of n
hours exceed; where it is larger, every z of the series is divided by the same factor.
For traffic and spend the rank is taken as it is, and for the others at the quarter that
chance exceeds three times of four, for these have single wild hours.
"""

import numpy as np
from scipy.special import ndtr
from scipy.stats import gamma

from lectr_lab.analysis.odd.history import WINDOWS
from lectr_lab.analysis.odd.predict import DAY, HOUR, WEEK, Array
from lectr_lab.analysis.odd.scores import KINDS, z_of

RANKS = (1, 2, 3, 5, 8, 13, 20)
WARM_UP = 48
"""Hours of record before anything is judged."""

_LEVEL = 0.25
_BY_RANK = np.array([gamma.ppf(_LEVEL, k) for k in RANKS])
_AS_IT_IS = np.array(RANKS) - 0.5
_OWN_TAIL = ("traffic_high", "traffic_low", "spend")
_FORTNIGHT = 2 * WEEK
_NO_HOUR = -9.0


def looks_an_hour(window: int) -> float:
    """How many looks of a window are as good as independent ones."""
    return float(np.clip(1.5 * HOUR / window, 0.25, HOUR))


def stretch(z: Array, seen: Array, kind: str, window: int) -> Array:
    """By how much the z of each day are too large, from the fortnight before it.

    Args:
        z: series by hours by looks.
        seen: series by hours, 1 where an hour may serve as history.
        kind: one of `KINDS`.
        window: one of `WINDOWS`.

    Returns:
        Series by days, 1 or more.
    """
    largest = np.where(seen > 0, z.max(2), _NO_HOUR)
    days = -(-largest.shape[1] // DAY)
    counts = _AS_IT_IS if kind in _OWN_TAIL else _BY_RANK
    ranks = np.array(RANKS)
    out = np.ones((len(z), days))
    for day in range(2, days):
        first = max(DAY, day * DAY - _FORTNIGHT)
        past = largest[:, first : day * DAY]
        hours = (past > _NO_HOUR).sum(1)
        most = ranks[-1]
        if past.shape[1] > most:
            past = -np.partition(-past, most, axis=1)[:, :most]
        past = -np.sort(-past, axis=1)
        share = counts / np.maximum(hours, 1)[:, None] / looks_an_hour(window)
        meant = np.maximum(z_of(np.minimum(share, 0.4)), 0.3)
        factor = (past[:, ranks - 1] / meant).max(1)
        out[:, day] = np.where(hours > DAY, np.maximum(factor, 1), 1)
    return out


def false_alarms(z: Array, factor: Array, window: int) -> Array:
    """Expected false alarms a feature-week at a z, all kinds and windows counted.

    Args:
        z: of looks.
        factor: `stretch`, of the same.
        window: one of `WINDOWS`.
    """
    tests = WEEK * len(WINDOWS) * len(KINDS)
    return ndtr(-z / factor) * looks_an_hour(window) * tests


def z_at(rate: float, window: int) -> float:
    """The z that is as rare as so many false alarms a feature-week.

    >>> z = z_at(0.3, 12)
    >>> round(float(false_alarms(np.array(z), np.array(1.0), 12)), 6)
    0.3
    """
    tests = WEEK * len(WINDOWS) * len(KINDS) * looks_an_hour(window)
    return float(z_of(np.array(min(rate / tests, 0.5))))

"""From z to how often chance would show the like: expected false alarms.

A normal tail is a model, and real traffic has longer ones. So each series, kind and
window is held against its own past: the largest z of each hour of the last fortnight,
ranked, and of each six for windows of six hours. If chance alone made these, the k-th
largest would be about the z that k of n exceed; where it is larger, every z of the series
is divided by the same factor. For traffic and spend the rank is taken as it is, of hours
for every window, for their bursts have company; and for the others at the quarter that
chance exceeds three times of four, for these have single wild hours.
"""

import numpy as np
from scipy.special import gammaincinv, ndtr

from lectr_lab.analysis.odd.history import WINDOWS
from lectr_lab.analysis.odd.predict import DAY, HOUR, WEEK, Array
from lectr_lab.analysis.odd.scores import KINDS, z_of

RANKS = (1, 2, 3, 5, 8, 13, 20)
WARM_UP = 48
"""Hours of record before anything is judged."""

_LEVEL = 0.25
_BY_RANK = gammaincinv(RANKS, _LEVEL)  # quantiles of gamma distributions
_AS_IT_IS = np.array(RANKS) - 0.5
_OWN_TAIL = ("traffic_high", "traffic_low", "spend")
_FORTNIGHT = 2 * WEEK
_NO_HOUR = -9.0
_MOST_RANK = RANKS[-1]


def looks_an_hour(window: int) -> float:
    """How many looks of a window are as good as independent ones."""
    return float(np.clip(1.5 * HOUR / window, 0.25, HOUR))


def stretch(z: Array, seen: Array, kind: str, window: int, least: float = 0.0) -> Array:
    """By how much the z of each day are too large, from the fortnight before it.

    Args:
        z: series by hours by looks.
        seen: series by hours, 1 where an hour may serve as history.
        kind: one of `KINDS`.
        window: one of `WINDOWS`.
        least: days without a z as large are not looked at, and have 1.

    Returns:
        Series by days, 1 or more.
    """
    largest = _largest(z)
    days = -(-largest.shape[1] // DAY)
    most = np.full((len(z), days * DAY), _NO_HOUR)
    most[:, : largest.shape[1]] = largest
    wanted = most.reshape(len(z), days, DAY).max(2) >= least
    wanted[:, :2] = False
    series, day = np.nonzero(wanted)
    most[:, : largest.shape[1]][seen == 0] = _NO_HOUR
    most[:, :DAY] = _NO_HOUR  # the first day of a record is no measure
    hours = _hours(kind, window)
    width, a_day = _FORTNIGHT // hours, DAY // hours
    whole = np.full((len(z), width + days * a_day), _NO_HOUR)
    whole[:, width:] = most.reshape(len(z), -1, hours).max(2)
    past = whole[series[:, None], (day * a_day)[:, None] + np.arange(width)]
    known = (past > _NO_HOUR).sum(1)
    top = -np.sort(-np.partition(past, -_MOST_RANK, axis=1)[:, -_MOST_RANK:], axis=1)
    counts = _AS_IT_IS if kind in _OWN_TAIL else _BY_RANK
    looks = looks_an_hour(window) * hours
    share = counts / np.maximum(known, 1)[:, None] / looks
    meant = np.maximum(z_of(np.minimum(share, 0.4)), 0.3)
    factor = (top[:, np.array(RANKS) - 1] / meant).max(1)
    out = np.ones((len(z), days))
    out[series, day] = np.where(known > a_day, np.maximum(factor, 1), 1)
    return out


def _hours(kind: str, window: int) -> int:
    """Of how many hours the largest z is taken.

    One thing that is odd is in six hours of windows of six, and would be six of them.
    """
    return 1 if kind in _OWN_TAIL else max(window // HOUR, 1)


def _largest(z: Array) -> Array:
    """Of each hour's looks; halved again and again, for that is faster."""
    while z.shape[2] > 1 and z.shape[2] % 2 == 0:
        half = z.shape[2] // 2
        z = np.maximum(z[:, :, :half], z[:, :, half:])
    return z.max(2)


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

"""What a month costs or saves, from the days seen, and how sure that is.

A block is a day: hours of one day rise and fall together, and an interval from them
covers far less than it says. Days are not independent either. So the daily values are
a weekday's mean (from two weeks on, when each weekday was seen twice) plus noise in
which a day may resemble the day before; how much it does is not known from a few days,
and every resemblance from -0.95 to 0.95 has its say, by how well it fits and by the
reference prior of Berger and Yang, under which strong ones count for more. The mean
then lies in a mixture of Student's t distributions. Where every day has the same sign, its
interval is taken on the scale of the logarithm, for volumes vary by factors.

The truth meant is the expected month of the same traffic: 30 times its mean day. So an
interval says how well these days tell what such days cost or save; it says nothing of
what next week brings, where traffic launches, ends or grows: that is `forecast`.

How often it covers is measured by `tests/benchmarks/interval_coverage.py` and written
down in `data/interval_coverage.md`. Under two weeks a weekly rhythm cannot be told from
noise, and widens the interval.

Days that were seen from beginning to end: savings are told from these.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from math import exp
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr

from lectr_lab.core.recommendation import Interval

LEAST_DAYS = 7
"""Fewer days than a week say nothing of a month."""

DAYS_A_MONTH = 30

_WEEK = 7
_RESEMBLANCES = np.linspace(-0.95, 0.95, 39)
# Between a flat prior of the logarithm of the noise (0) and Jeffreys' rule for it (1):
# with either, the intervals of a few days cover too much, or too little.
_MORE_FREEDOM = 0.5
_FAR = 1e4  # scales from the centre, beyond which no quantile lies

_Array: TypeAlias = NDArray[np.float64]


class Monthly(NamedTuple):
    """USD in 30 days of the same traffic, and where its expectation lies."""

    mean_usd_month: float
    interval: Interval


class _Mixture(NamedTuple):
    """Student's t distributions of one number of degrees of freedom, with weights."""

    centres: _Array
    scales: _Array
    weights: _Array
    freedom: float


def monthly(daily_usd: Sequence[float], *, confidence: float = 0.9) -> Monthly | None:
    """A monthly figure with its interval, from the figures of single days.

    Args:
        daily_usd: one value per day, in order and without gaps: a day without traffic
            is a 0 among them. Days that were seen in part do not belong here.
        confidence: how often the interval is to cover, above 0 and below 1.

    Returns:
        The mean month and its interval; None for fewer than 7 days.

    Raises:
        ValueError: a value is not finite, or the confidence not between 0 and 1.

    >>> week = [4.0, 5.0, 4.5, 6.0, 5.5, 1.0, 1.5]
    >>> found = monthly(week + [4.4, 5.2, 5.0, 5.5, 5.0, 1.2, 1.4])
    >>> round(found.mean_usd_month), *(round(end) for end in found.interval[:2])
    (118, 112, 124)
    >>> monthly(week[:6]) is None
    True
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    days = np.asarray(daily_usd, dtype=np.float64)
    if not np.isfinite(days).all():
        raise ValueError("a day's figure is not a finite number")
    if len(days) < LEAST_DAYS:
        return None
    weekdays = _weekdays(len(days))
    mean = float(np.linalg.lstsq(weekdays, days, rcond=None)[0].mean())
    low, high = _interval(weekdays, days, mean, confidence)
    month = Interval(DAYS_A_MONTH * low, DAYS_A_MONTH * high, confidence)
    return Monthly(DAYS_A_MONTH * mean, month)


def _weekdays(n: int) -> _Array:
    """Which mean each day has: its weekday's, or one for all under two weeks."""
    if n < 2 * _WEEK:
        return np.ones((n, 1))
    return np.eye(_WEEK)[np.arange(n) % _WEEK]


def _interval(
    weekdays: _Array, days: _Array, mean: float, confidence: float
) -> tuple[float, float]:
    largest = float(np.abs(days).max())
    residual = days - weekdays @ np.linalg.lstsq(weekdays, days, rcond=None)[0]
    if np.abs(residual).max() <= 1e-9 * largest:
        return mean, mean  # every week was the same
    mixture = _mixture(weekdays, days / largest)
    low, high = (
        largest * _quantile(mixture, 0.5 + side * confidence / 2) for side in (-1, 1)
    )
    if mean and ((days >= 0).all() or (days <= 0).all()):
        ends = sorted(mean * exp((end - mean) / mean) for end in (low, high))
        low, high = ends[0], ends[1]
    return min(low, mean), max(high, mean)


def _mixture(weekdays: _Array, days: _Array) -> _Mixture:
    """What the mean day may be, one distribution per resemblance of neighbours.

    For a given resemblance this is generalised least squares; the weight is how likely
    it makes the days, with the means and the size of the noise integrated out.
    Sources: Zellner, An Introduction to Bayesian Inference in Econometrics (1971), 4.1;
    Berger and Yang, Econometric Theory 10 (1994), 461-482, for the prior.
    """
    n, means = weekdays.shape
    freedom = n - means + _MORE_FREEDOM
    rho = _RESEMBLANCES[:, None, None]
    x, y = _whitened(weekdays, rho), _whitened(days[:, None], rho)
    across = x.mT
    information = across @ x
    fitted = np.linalg.solve(information, across @ y)
    squares = np.square(y - x @ fitted).sum((1, 2))
    of_mean = np.full((means, 1), 1 / means)
    variance = (of_mean.T @ np.linalg.solve(information, of_mean))[:, 0, 0]
    log_determinants = (n - 1) * np.log1p(-(_RESEMBLANCES**2))
    log_determinants += np.linalg.slogdet(information)[1]
    log_weights = -(log_determinants + freedom * np.log(squares)) / 2
    log_weights -= np.log1p(-(_RESEMBLANCES**2)) / 2
    weights = np.exp(log_weights - log_weights.max())
    return _Mixture(
        fitted.mean((1, 2)),
        np.sqrt(squares / freedom * variance),
        weights / weights.sum(),
        freedom,
    )


def _whitened(rows: _Array, rho: _Array) -> _Array:
    """Of each resemblance, rows of which each is what the one before did not foretell,
    in equal units."""
    news = (rows[1:] - rho * rows[:-1]) / np.sqrt(1 - rho**2)
    first = np.broadcast_to(rows[:1], (len(rho), *rows[:1].shape))
    return np.concatenate([first, news], axis=1)


def _quantile(mixture: _Mixture, share: float) -> float:
    from scipy.optimize import brentq  # it loads slowly

    centres, scales, weights, freedom = mixture

    def missing(at: float) -> float:
        return float(weights @ stdtr(freedom, (at - centres) / scales)) - share

    low = float((centres - _FAR * scales).min())
    high = float((centres + _FAR * scales).max())
    return float(brentq(missing, low, high, xtol=1e-12, rtol=1e-12))


_LATE_US = 2 * 3_600_000_000  # chance alone makes a day begin or end a little apart


def day_edges(log: pl.LazyFrame) -> pl.LazyFrame:
    """One row per org and day (UTC): `first_us` and `last_us`, times of day."""
    at = pl.col("started_at")
    us = (at - at.dt.truncate("1d")).dt.total_microseconds()
    return (
        log.group_by("org", day=at.dt.date())
        .agg(first_us=us.min(), last_us=us.max())
        .sort("org", "day")
    )


def seen_span(edges: pl.DataFrame) -> tuple[date, date] | None:
    """The first and the last day that one org's traffic covers whole; None for none.

    A day at an end of the log is left out where its traffic begins hours later, or
    ends hours sooner, than on every other day: the proxy started, or the log was read,
    at noon.

    Args:
        edges: rows of `day_edges` of one org, in the order of days.
    """
    if edges.height < 3:
        return None
    days, inner = edges["day"], edges[1:-1]
    began_late = edges["first_us"][0] > _most(inner["first_us"]) + _LATE_US
    ended_soon = edges["last_us"][-1] < -_most(-inner["last_us"]) - _LATE_US
    first = days[0] + timedelta(days=int(began_late))
    last = days[-1] - timedelta(days=int(ended_soon))
    return first, last


def _most(us: pl.Series) -> int:
    return max(us.to_list())

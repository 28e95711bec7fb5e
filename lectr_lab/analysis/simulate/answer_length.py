"""How long another model's answers are, beside the present one's: learned from a log.

Only where both answered the same feature and task of one org: elsewhere, different
work would pass for different manners. A ratio of mean output tokens over such groups,
each weighted by the present model's answers; its interval is the delta method's, on
the logarithm. Source: Cochran, Sampling Techniques (1977), section 6.
"""

from collections.abc import Mapping
from math import exp, log, sqrt
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

from lectr_lab.core.recommendation import Interval

LEAST_ANSWERS = 30
"""Answers of each model in a group, below which the group teaches nothing."""


class Lengths(NamedTuple):
    """Output tokens of the answers of one model to one feature and task."""

    answers: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.answers

    @property
    def variance_of_mean(self) -> float:
        squared = self.squares - self.total * self.mean
        return max(squared, 0.0) / (self.answers - 1) / self.answers


Groups: TypeAlias = Mapping[tuple[str | None, str | None], Lengths]
"""By feature and task, for one org, provider and model."""


class LengthRatio(NamedTuple):
    """Output tokens of the one model per output token of the other."""

    ratio: float
    interval: Interval
    answers_from: int
    answers_to: int


def length_ratio(
    present: Groups, other: Groups, confidence: float
) -> LengthRatio | None:
    """The ratio, from the groups that both answered often enough; None without one.

    >>> short, long = Lengths(100, 5_000, 300_000), Lengths(100, 10_000, 1_200_000)
    >>> learned = length_ratio({("faq", None): short}, {("faq", None): long}, 0.9)
    >>> round(learned.ratio, 2), [round(end, 2) for end in learned.interval[:2]]
    (2.0, [1.8, 2.22])
    >>> length_ratio({("faq", None): short}, {("chat", None): long}, 0.9) is None
    True
    """
    pairs = [
        (lengths, other[group])
        for group, lengths in present.items()
        if group in other
        and min(lengths.answers, other[group].answers) >= LEAST_ANSWERS
    ]
    before = sum(own.total for own, _ in pairs)
    after = sum(own.answers * theirs.mean for own, theirs in pairs)
    if before <= 0 or after <= 0:
        return None
    doubt_before = sum(own.answers**2 * own.variance_of_mean for own, _ in pairs)
    doubt_after = sum(own.answers**2 * to.variance_of_mean for own, to in pairs)
    error = sqrt(doubt_before / before**2 + doubt_after / after**2)
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * error
    middle = log(after / before)
    return LengthRatio(
        exp(middle),
        Interval(exp(middle - half), exp(middle + half), confidence),
        sum(own.answers for own, _ in pairs),
        sum(theirs.answers for _, theirs in pairs),
    )

"""What a recommendation says, and what a paired comparison has shown of it.

Made by `analysis.recommend` and `evaluation.evidence`; read by every door.
"""

from datetime import date
from typing import Literal, NamedTuple, TypeAlias

import msgspec

Confidence: TypeAlias = Literal["high", "medium", "low"]
Verdict: TypeAlias = Literal["adopt", "need_more", "refuse"]
Against: TypeAlias = Literal["labels", "present_model"]


class Interval(NamedTuple):
    """Where a figure lies, with a stated confidence in (0, 1)."""

    low: float
    high: float
    confidence: float


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same recorded prompts, each answer scored in [0, 1].

    `difference` is the candidate's mean score less the present model's: below
    `-margin` it is worse by more than the user accepts.
    """

    measure: str  # what a score is, e.g. "label" or "field_f1"
    against: Against
    pairs: int
    score_from: float
    score_to: float
    difference: float
    interval: Interval
    margin: float
    verdict: Verdict
    need_pairs: int | None = None  # about how many more, where the verdict wants them


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A cheaper model for one org's feature, task and model, and why.

    Money is in USD; a month is 30 days. What is not known is None. `from_model` is what
    answered, `asked_for` what clients wrote to get it: a rule sees the latter.
    """

    org: str
    feature: str | None
    task: str | None
    provider: str
    from_model: str
    to_model: str
    confidence: Confidence
    reasons: tuple[str, ...]
    requests: int
    days: int
    spend_usd: float
    saving_usd_month: float | None = None
    saving_interval: Interval | None = None
    evidence: Evidence | None = None
    asked_for: tuple[str, ...] = ()
    to_retires_on: date | None = (
        None  # within 90 days; later ones are among the reasons
    )


def is_protected(task: str | None) -> bool:
    """Whether no smaller model is ever proposed for a task: `reasoning`, as written.

    >>> is_protected("reasoning"), is_protected(" Reasoning"), is_protected(None)
    (True, True, False)
    """
    return task is not None and "".join(task.split()).casefold() == "reasoning"

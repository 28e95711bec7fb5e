"""Is a group's work simple enough for a smaller model? By its task, else its shape.

The task that a client declares is the strongest signal. Without one the shape of the
traffic decides, by the share of requests that have a sign and not by an average: nine
in ten must have it, and so many must have been seen that this is no accident.
"""

from typing import Any, NamedTuple

from lectr_lab.analysis.recommend.signals import (
    DEEP_SCHEMA_LEVELS,
    LONG_PROMPT_TOKENS,
    LOW_TEMPERATURE,
    SHORT_ANSWER_TOKENS,
    SHORT_PROMPT_TOKENS,
)
from lectr_lab.core import formatting
from lectr_lab.core.intervals import wilson
from lectr_lab.core.recommendation import Confidence

Group = dict[str, Any]
"""A row of `signals`."""

DECLARED = ("classification", "summarisation", "extraction")
_MOST = 0.9  # of requests: a sign that speaks for it
_FEW = 0.1  # of requests: above this, a sign that speaks against it
_HALF = 0.5
_Z = 1.645  # one-sided 95 %


class Judgement(NamedTuple):
    """How sure we are that the work is simple, and why.

    `confidence` is None where it is not simple enough to say; `careful` asks for the
    nearest target and not the cheapest.
    """

    confidence: Confidence | None
    careful: bool
    reasons: tuple[str, ...]


def judge(group: Group) -> Judgement:
    """What a group's task, or else its shape, says of a smaller model.

    >>> judge({
    ...     "task": "classification", "requests": 9, "counted": 9, "n_short_answer": 9,
    ...     "n_reasoning": 0,
    ... })
    Judgement(confidence='high', careful=False, reasons=('declared as classification',))
    """
    task = group["task"]
    if not looked_at(group):
        return Judgement(None, True, ("none of the newest requests is among these",))
    if task in DECLARED:
        return _declared(task, group)
    against = _against(group)
    if against:
        return Judgement(None, True, tuple(against))
    return _by_shape(group)


def _declared(task: str, group: Group) -> Judgement:
    doubts = []
    if task == "classification" and _share(group, "short_answer") < _HALF:
        doubts.append(f"only {_short_answers(group)}, few for a classification")
    if task == "summarisation" and _share(group, "long_prompt") > _FEW:
        doubts.append(_long_prompts(group))
    if task == "extraction" and _share(group, "deep_schema") > _FEW:
        doubts.append(_deep_schemas(group))
    if _share(group, "reasoning") > _FEW:
        doubts.append(_reasoning(group))
    reasons = [
        f"declared as {task}",
        *(f"{doubt}: so the smallest step down, not the cheapest" for doubt in doubts),
    ]
    return Judgement("high", bool(doubts), tuple(reasons))


def _against(group: Group) -> list[str]:
    """Signs of work that is not simple."""
    found = []
    if group["beside_reasoning"]:
        found.append("other requests of this feature are declared as reasoning")
    if group["n_reasoning"]:
        found.append(_reasoning(group))
    if _share(group, "long_prompt") > _FEW:
        found.append(_long_prompts(group))
    if _share(group, "deep_schema") > _FEW:
        found.append(_deep_schemas(group))
    if _share(group, "tools") > _FEW:
        found.append(_said(group, "tools", "offer tools"))
    if _share(group, "pictures_or_sound") > _FEW:
        found.append(_said(group, "pictures_or_sound", "have images or audio"))
    return found


def _reasoning(group: Group) -> str:
    return _said(group, "reasoning", "ask for reasoning or show some")


def _short_answers(group: Group) -> str:
    words = f"have answers of {SHORT_ANSWER_TOKENS} tokens or less"
    return _said(group, "short_answer", words)


def _long_prompts(group: Group) -> str:
    words = f"have prompts of more than {LONG_PROMPT_TOKENS:,} tokens"
    return _said(group, "long_prompt", words)


def _deep_schemas(group: Group) -> str:
    words = f"ask for schemas of {DEEP_SCHEMA_LEVELS} levels or more"
    return _said(group, "deep_schema", words)


def _by_shape(group: Group) -> Judgement:
    """Short answers, and something else that says the work is simple."""
    if not _mostly(group, "short_answer"):
        few = _share(group, "short_answer") >= _MOST
        doubt = "too few to tell" if few else "not nine in ten"
        return Judgement(None, True, (f"{_short_answers(group)}: {doubt}",))
    signs = {
        "short_prompt": f"have prompts of {SHORT_PROMPT_TOKENS:,} tokens or less",
        "json": "ask for JSON",
        "low_temperature": f"have a temperature of {LOW_TEMPERATURE} or less",
    }
    agreeing = [n for n in signs if _mostly(group, n)]
    reasons = [_task(group), _short_answers(group)]
    reasons += [_said(group, name, signs[name]) for name in agreeing]
    mixed = group["feature"] is None
    if mixed:
        reasons.append(
            "requests without a feature may be of many kinds: tag them first"
        )
    if not agreeing and group["task"] == "generation":
        return Judgement(None, True, tuple(reasons))
    sure: Confidence = "medium" if agreeing and not mixed else "low"
    return Judgement(sure, True, tuple(reasons))


def _task(group: Group) -> str:
    if group["task"] == "generation":
        return "declared as generation, which says neither: the shape decides"
    return "no known task is declared: the shape decides"


def _share(group: Group, sign: str) -> float:
    """The share of requests with a sign; of those with token counts, where it is one."""
    return float(group[f"n_{sign}"]) / max(_of(group, sign), 1)


def _of(group: Group, sign: str) -> int:
    by_tokens = sign in ("short_answer", "short_prompt", "long_prompt")
    return looked_at(group, "counted" if by_tokens else "requests")


def looked_at(group: Group, what: str = "requests") -> int:
    """Of how many its signs are known: of all, or of the newest of a long log."""
    looked = f"looked_{what}"
    return int(group[looked if looked in group else what])


def _mostly(group: Group, sign: str) -> bool:
    """Nine in ten have it, and it is not for want of looking."""
    low, _ = wilson(group[f"n_{sign}"], _of(group, sign), _Z)
    return low >= _MOST


def _said(group: Group, sign: str, words: str) -> str:
    share = formatting.percent(_share(group, sign))
    return f"{share} of {formatting.count(_of(group, sign))} requests {words}"

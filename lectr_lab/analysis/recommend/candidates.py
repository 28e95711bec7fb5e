"""Which groups could go to which targets, their cost left out.

Can a target do what the traffic does, and will it be there? By what is known of it.
"""

from datetime import date
from typing import NamedTuple

from lectr_lab.analysis.recommend.judgement import Group, Judgement, judge
from lectr_lab.core import formatting
from lectr_lab.core.model_catalog import (
    Ability,
    CheaperModel,
    Model,
    known_model,
    targets,
)


class Option(NamedTuple):
    """A target that could take a group's traffic, as far as the log and table say."""

    target: CheaperModel
    anew: bool  # it reasons and the present model does not


class Candidate(NamedTuple):
    """A group, what is thought of it, and its targets: the one to try first is first."""

    group: Group
    judgement: Judgement
    options: tuple[Option, ...]
    refused: tuple[str, ...]  # why other targets are not among them


def candidate(group: Group, today: date) -> Candidate:
    """What the log and the table say of a group, its cost left out."""
    judgement = judge(group)
    if judgement.confidence is None or not group["provider"] or not group["model"]:
        return Candidate(group, judgement, (), ())
    present = known_model(group["provider"], group["model"])
    options, refused = [], []
    for target in targets(group["provider"], group["model"], today):
        reason = why_not(target.model, group, today)
        if reason is None:
            options.append(Option(target, _reasons_anew(present, target.model)))
        else:
            refused.append(reason)
    if not judgement.careful:
        options.reverse()  # the furthest first
    options.sort(key=lambda option: option.anew)
    return Candidate(group, judgement, tuple(options), tuple(refused))


def _reasons_anew(present: Model | None, target: Model) -> bool:
    return target.reasons and (present is None or not present.reasons)


_WORDS: dict[Ability, str] = {
    "images": "images",
    "audio": "audio",
    "tools": "tools",
    "json_schema": "JSON of a given form",
    "web_search": "web search",
}
_UNSAID: tuple[Ability, ...] = ("images", "audio", "tools")


def why_not(target: Model, group: Group, day: date) -> str | None:
    """Why a target cannot take a group's traffic; None where nothing is known to stop it.

    Args:
        target: the model to go to.
        group: a row of `signals`.
        day: the day of the change.

    What the log does not say of a request, the present model may be doing: the target
    must be able to do it as well.
    """
    provider = group["provider"]
    if not target.serves(provider, day):
        return f"{target.name} retires on {target.retired_on[provider]}"
    lacking = _needs(group) - target.can
    if lacking:
        words = " and ".join(_WORDS[ability] for ability in sorted(lacking))
        return f"{target.name} is not known to take {words}"
    if group["uses_other_output"]:
        return f"{target.name} is not known to answer in images or audio"
    if group["uses_effort"] and not target.reasons:
        return f"{target.name} takes no reasoning effort, which requests set"
    return _too_small(target, group)


def _needs(group: Group) -> set[Ability]:
    used = {ability for ability in _WORDS if group[f"uses_{ability}"]}
    present = known_model(group["provider"], group["model"])
    if group["unsaid"] and present is not None:
        used |= {ability for ability in _UNSAID if ability in present.can}
    return used


def _too_small(target: Model, group: Group) -> str | None:
    for most, limit, what in (
        (group["input_most_tokens"], target.context_tokens, "prompt"),
        (group["output_most_tokens"], target.max_output_tokens, "answer"),
    ):
        if limit is None:
            return f"how long a {what} {target.name} takes is not known"
        if most is not None and most > limit:
            return (
                f"{target.name} takes a {what} of {formatting.count(limit)} tokens at "
                f"most, and the longest has {formatting.count(most)}"
            )
    return None

"""Which groups could go to which targets, their cost left out."""

from datetime import date
from typing import NamedTuple

from lectr_lab.analysis.capability import why_not
from lectr_lab.analysis.judgement import Group, Judgement, judge
from lectr_lab.core.model_catalog import Model, Target, known_model, targets


class Option(NamedTuple):
    """A target that could take a group's traffic, as far as the log and table say."""

    target: Target
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

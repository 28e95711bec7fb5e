"""Which groups could go to which targets, their cost left out.

Can a target do what the traffic does, and will it be there? By what is known of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias

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
    ends_on: date | None = None  # it retires within a quarter
    by_way: tuple[CheaperModel, ...] = ()  # the targets between, which it follows


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
            options.append(_option(target, present, group["provider"], today))
        else:
            refused.append(reason)
    if not judgement.careful:
        options.reverse()  # the furthest first
    options.sort(key=lambda option: (option.anew, option.ends_on is not None))
    return Candidate(group, judgement, tuple(options), tuple(refused))


def _option(
    target: CheaperModel,
    present: Model | None,
    provider: str,
    today: date,
    by_way: tuple[CheaperModel, ...] = (),
) -> Option:
    ends_on = target.model.ends_soon(provider, today)
    return Option(target, _reasons_anew(present, target.model), ends_on, by_way)


def with_chains(candidates: Sequence[Candidate], today: date) -> list[Candidate]:
    """Candidates that may also go where their targets' own traffic may go.

    Where a feature and task asks A and B, and B is a target for A and C for B, then C
    is one for A, if it can take A's traffic: nobody wants to change twice.
    """
    by_place: dict[Place, list[Candidate]] = defaultdict(list)
    for one in candidates:
        by_place[place_of(one.group)].append(one)
    return [
        _with_chain(one, by_place[place_of(one.group)], today) for one in candidates
    ]


Place: TypeAlias = tuple[Any, ...]


def place_of(group: Group) -> Place:
    """Whose work a group is: org, feature, task and provider."""
    return tuple(group[key] for key in ("org", "feature", "task", "provider"))


def _with_chain(own: Candidate, beside: Sequence[Candidate], today: date) -> Candidate:
    provider = own.group["provider"]
    if not own.options or len(beside) == 1:
        return own
    present = known_model(provider, own.group["model"])
    at = {name: other for other in beside if (name := catalog_name(other.group))}
    options = list(own.options)
    reached = {option.target.model.name for option in options}
    for option in options:  # grows as it goes, by each name once
        following = at.get(option.target.model.name)
        for further in following.options if following else ():
            model = further.target.model
            if model.name in reached or why_not(model, own.group, today):
                continue
            reached.add(model.name)
            way = (*option.by_way, option.target)
            options.append(_option(further.target, present, provider, today, way))
    return own._replace(options=tuple(options))


def catalog_name(group: Group) -> str | None:
    """The catalogue's name of a group's model; None where it is not there."""
    known = known_model(group["provider"] or "", group["model"] or "")
    return None if known is None else known.name


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

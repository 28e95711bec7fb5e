"""Can a target do what the traffic does, and will it be there? By what is known of it."""

from datetime import date

from lectr_lab.analysis.judgement import Group
from lectr_lab.core import formatting
from lectr_lab.core.model_catalog import Ability, Model, known_model

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

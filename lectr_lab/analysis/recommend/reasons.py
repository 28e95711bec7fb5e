"""Why a change is recommended, in words with figures."""

from collections.abc import Sequence
from datetime import date

from lectr_lab.analysis.recommend.candidates import Option
from lectr_lab.analysis.recommend.judgement import Group, looked_at
from lectr_lab.analysis.recommend.reprice import REASONING_TIMES
from lectr_lab.core import formatting
from lectr_lab.core.model_catalog import CheaperModel, known_model

FEW_REQUESTS = 35
"""Below this a share of nine in ten cannot be told from chance."""

_SAYS = {
    "documented": "Lectr's own list names {to} for it",
    "successor": "the provider names {to} as what follows it",
    "price list": "{to} is a smaller or newer model of the provider with a lower list price",
}


def traffic_reasons(group: Group) -> list[str]:
    """What the traffic looks like, and what the log does not say of it.

    >>> traffic_reasons({
    ...     "requests": 4210, "counted": 4210, "input_p50_tokens": 212.0,
    ...     "output_p95_tokens": 60.0, "estimated": 0, "unsaid": False,
    ... })
    ['median prompt 212 tokens, 95 % of answers within 60 tokens, n = 4,210']
    """
    found = []
    if counted := looked_at(group, "counted"):
        prompt = formatting.count(round(group["input_p50_tokens"]))
        answer = formatting.count(round(group["output_p95_tokens"]))
        found.append(
            f"median prompt {prompt} tokens, 95 % of answers within {answer} tokens, "
            f"n = {formatting.count(counted)}"
        )
    if (looked := looked_at(group)) < group["requests"]:
        found.append(
            f"what they look like and use is told by the newest {formatting.count(looked)} "
            f"of {formatting.count(group['requests'])} requests"
        )
    if group["requests"] < FEW_REQUESTS:
        found.append(f"few requests: {group['requests']}")
    if group["estimated"]:
        share = formatting.percent(group["estimated"] / group["requests"])
        found.append(f"the tokens of {share} of the requests are an estimate")
    if group["unsaid"]:
        found.append(
            "some requests do not say whether they use tools, images or audio: the "
            "target takes all of these that the present model takes"
        )
    return found


def target_reasons(group: Group, target: CheaperModel) -> list[str]:
    """Who names the target, and what to know of it before one changes."""
    model, step = target
    found = [
        _SAYS[step.source].format(to=model.name) + f" ({step.page}, {step.checked})"
    ]
    if step.note is not None:
        found.append(f"{model.name}: {step.note}")
    found += _retirements(group, target)
    if group["provider"] == "azure":
        found.append(f"your Azure resource needs a deployment of {model.name}")
    return found


def ending_reasons(option: Option, options: Sequence[Option]) -> list[str]:
    """That a target will be gone within a quarter, and what comes after it."""
    if option.ends_on is None:
        return []
    name, lasting = option.target.model.name, [o for o in options if not o.ends_on]
    text = f"{name} retires on {option.ends_on}: this saves until then, and no longer"
    if lasting and lasting[0].anew:
        after = lasting[0].target.model.name
        text += f"; {after} stays, but it reasons, so what it would cost is less sure"
    return [text]


def chain_reasons(option: Option) -> list[str]:
    """Why a target is not the next one down, but one after it."""
    if not option.by_way:
        return []
    near, far = option.by_way[-1].model.name, option.target.model.name
    text = (
        f"{near} is the next step down, but what {near} answers here can itself go to "
    )
    return [f"{text}{far}: one change in place of two"]


def _retirements(group: Group, target: CheaperModel) -> list[str]:
    present = known_model(group["provider"], group["model"])
    days: list[tuple[str, date | None]] = [
        (name, model.retired_on.get(group["provider"]))
        for name, model in (
            (formatting.name(group["model"]), present),
            (target.model.name, target.model),
        )
        if model is not None
    ]
    return [f"{name} retires on {day}" for name, day in days if day is not None]


def price_reasons(
    target: CheaperModel, from_usd: float, to_usd: float, anew: bool
) -> str:
    """What the same requests would have cost.

    `anew`: the target reasons and the present model does not.
    """
    less = formatting.percent(1 - to_usd / from_usd)
    text = (
        f"the same requests would cost {formatting.usd(to_usd)} with {target.model.name}, "
        f"and cost {formatting.usd(from_usd)}: {less} less"
    )
    if not anew:
        return f"{text}, if it takes as many tokens"
    return (
        f"{text}, if its answers took {REASONING_TIMES} times the tokens: it reasons, "
        "the present model does not, and how much it writes is not in this log, so no "
        "saving is stated"
    )

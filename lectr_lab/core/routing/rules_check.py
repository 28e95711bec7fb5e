"""What an operator should look at again in their rules: warnings, never refusals.

A rule is its operator's word and is obeyed, for `reasoning` too.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import msgspec

from lectr_lab.core.headers import TASKS
from lectr_lab.core.model_catalog import known_model
from lectr_lab.core.registry import provider_of_model
from lectr_lab.core.routing.rules import Rule

PriceOf: TypeAlias = Callable[[str | None, str], Decimal | None]
"""A provider's model → what a typical call to it costs, in USD."""


class Warned(NamedTuple):
    """A rule's name, and what to look at."""

    rule: str
    text: str


def check_rules(
    rules: Sequence[Rule],
    keyed: Collection[str],
    price_of: PriceOf = lambda *_: None,
    day: date | None = None,
) -> tuple[Warned, ...]:
    """What may not be meant.

    Args:
        rules: as they are tried.
        keyed: the providers that the operator has a key for, or that want none.
        price_of: prices, where there are any.
        day: on which they are to hold, for targets that are retired.

    >>> from lectr_lab.core.routing.rules import Conditions, RuleTarget
    >>> one = Rule(name="r", priority=1, when=Conditions(task="reasoning"),
    ...            then=RuleTarget(model="gpt-4o-mini"))
    >>> [warned.text for warned in check_rules([one], ())]
    ['it changes the model of reasoning, where a smaller one is worse']
    """
    enabled = [rule for rule in rules if rule.enabled]
    return tuple(
        Warned(rule.name, text)
        for place, rule in enumerate(enabled)
        for text in (
            *_conditions(rule, enabled[:place]),
            *_target(rule, keyed),
            *_prices(rule, price_of),
            *_retired(rule, day),
            *_never_reached(rule, enabled[:place]),
        )
    )


def _conditions(rule: Rule, earlier: Sequence[Rule]) -> Iterator[str]:
    when = rule.when
    if not _stays(rule) and not _reasoning_is_decided(rule, earlier):
        yield from _of_reasoning(rule)
    if when.task is not None and when.task not in TASKS:
        yield f"no valid task is {when.task!r}: the tasks are {', '.join(sorted(TASKS))}"
    if not any(getattr(when, name) for name in when.__struct_fields__):
        yield "it matches every request, for it has no condition"


def _stays(rule: Rule) -> bool:
    """It asks for what was asked for: a rule that keeps others away."""
    return rule.then.provider is None and rule.then.model == rule.when.model


def _reasoning_is_decided(rule: Rule, earlier: Sequence[Rule]) -> bool:
    """A rule before it takes those of its requests that are declared as reasoning."""
    of_reasoning = msgspec.structs.replace(
        rule, when=msgspec.structs.replace(rule.when, task="reasoning")
    )
    return rule.when.task is None and any(
        _covers(other, of_reasoning) for other in earlier
    )


def _of_reasoning(rule: Rule) -> Iterator[str]:
    when = rule.when
    if when.task == "reasoning":
        yield "it changes the model of reasoning, where a smaller one is worse"
    elif when.task is None:
        yield "it changes the model of reasoning too, for it names no task"


def _target(rule: Rule, keyed: Collection[str]) -> Iterator[str]:
    when, then = rule.when, rule.then
    # Who is asked when it applies, as far as the rule alone tells.
    stays = when.provider or _vendor(when.model)
    provider = then.provider or stays
    vendor = _vendor(then.model)
    if vendor and provider not in (None, "azure", vendor):
        effect = "applied" if then.provider else "never applied"
        yield f"{then.model} is {vendor}'s by its name, and {provider} is asked: {effect}"
    if then.model and not vendor and provider != "azure":
        yield f"no provider is known to have a model {then.model!r}"
    if then.provider and then.provider != stays and then.provider not in keyed:
        yield (
            f"there is no operator's key for {then.provider}, so it is not applied "
            "(operator_key_env in lectr.toml names its variable)"
        )


def _prices(rule: Rule, price_of: PriceOf) -> Iterator[str]:
    when, then = rule.when, rule.then
    if when.model is None or when.model.endswith("*") or then.model is None:
        return
    present_provider = when.provider or _vendor(when.model)
    before, after = (
        price_of(present_provider, when.model),
        price_of(then.provider or present_provider, then.model),
    )
    if before is not None and after is not None and after > before:
        yield f"{then.model} is dearer than {when.model} at list prices"


def _retired(rule: Rule, day: date | None) -> Iterator[str]:
    """A provider refuses a model that is gone: the rule would break its requests."""
    then = rule.then
    provider = then.provider or rule.when.provider or _vendor(then.model)
    if day is None or then.model is None or provider is None:
        return
    model = known_model(provider, then.model)
    if model is None or model.serves(provider, day):
        return
    gone = model.retired_on[provider]
    verb = "is retired since" if gone <= day else "retires on"
    yield f"{then.model} {verb} {gone} at {provider}"


def _never_reached(rule: Rule, earlier: Sequence[Rule]) -> Iterator[str]:
    for other in earlier:
        if _covers(other, rule):
            yield f"it is never reached: {other.name!r} matches all that it does, first"
            return


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whatever the second matches, the first does."""
    pairs = (
        (getattr(wide.when, name), getattr(narrow.when, name))
        for name in wide.when.__struct_fields__
    )
    return all(w is None or _within(w, n) for w, n in pairs)


def _within(wide: str, narrow: str | None) -> bool:
    if narrow is None:
        return False
    return narrow == wide or (wide.endswith("*") and narrow.startswith(wide[:-1]))


def _vendor(model: str | None) -> str | None:
    """By the name, of which a `*` at the end is no part."""
    return provider_of_model(model.rstrip("*")) if model else None

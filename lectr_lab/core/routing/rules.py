"""Which model a request is sent to: an operator's rules, as one pure function.

The proxy decides by it while a client waits, `simulate` over a log's distinct
combinations: what a condition sees is in the event's columns, and nothing else.

- The rule of priority 1 comes first; among equals, the one written first. The first
  enabled rule whose conditions all hold decides, even where it can then not be applied.
- A condition that is not set always holds. Texts are compared exactly; one that ends in
  `*` holds for every name that begins so. `untagged` is the feature of a request that
  names none; who names no client, agent, session or user fits no condition on it.
- A rule without a provider never changes it. One with a provider sends the request
  there under the operator's own key, so it takes one.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.registry import offers, provider_of_model

Skipped: TypeAlias = Literal[
    "already_the_target",
    "no_model",
    "embeddings",
    "model_of_another_provider",
    "not_offered",
    "no_operator_key",
]
"""Why a rule that matched was not applied:

- `already_the_target`: the request asks for it by itself
- `no_model`: it names no model that could be replaced
- `embeddings`: an embedding is only replaced by a rule that names the model it replaces
- `model_of_another_provider`: the model's name is another vendor's than the one asked
- `not_offered`: the target provider has no such operation in this form
- `no_operator_key`: the operator configured no key for the target provider
"""

_RULED = frozenset({"chat", "completions", "embeddings", "responses", "messages"})


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt line is an error, not a silent default."""


class Conditions(_Strict, frozen=True, kw_only=True):
    """What a request must be for a rule to match; None: anything will do."""

    feature: str | None = None
    task: str | None = None
    provider: str | None = None
    model: str | None = None  # as the client asked for it
    client: str | None = None
    agent: str | None = None
    session: str | None = None
    user: str | None = None


OF_RUN = ("client", "agent", "session", "user")
"""Conditions on who asks and in which run. They take many values, so a rule's input has
them only where some rule asks for them."""


class RuleTarget(_Strict, frozen=True, kw_only=True):
    """Where a matching request is sent instead; None stays as it was asked for."""

    model: str | None = None
    provider: str | None = None


class Rule(_Strict, frozen=True, kw_only=True):
    """When a request is such and such, ask this model instead.

    >>> import lectr_lab as lectr
    >>> small = lectr.RuleTarget(model="gpt-4o-mini")
    >>> sorting = lectr.Conditions(task="classification")
    >>> rule = lectr.Rule(name="triage", priority=1, when=sorting, then=small)
    >>> rule.then
    RuleTarget(model='gpt-4o-mini', provider=None)
    """

    name: str
    priority: int
    then: RuleTarget
    when: Conditions = Conditions()
    enabled: bool = True


class RuleInput(NamedTuple):
    """What a rule sees of a request: the event's columns of these names, where `model`
    is `model_requested` and `provider` is `provider_requested`, else `provider`."""

    feature: str | None = None
    task: str | None = None
    provider: str | None = None
    model: str | None = None
    operation: str = "chat"
    client: str | None = None
    agent: str | None = None
    session: str | None = None
    user: str | None = None


class Decision(NamedTuple):
    """Where a request goes: `rule` is the one applied, `skipped` says why one was not.

    `model` and `provider` are those to ask, changed or not.
    """

    rule: str | None
    skipped: Skipped | None
    model: str | None
    provider: str | None


def in_order(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules as they are tried: priority 1 first, then as given."""
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def asks_for_run(rules: Sequence[Rule]) -> bool:
    """Some rule has a condition on who asks, or in which run."""
    return any(getattr(rule.when, name) for rule in rules for name in OF_RUN)


def decide(
    rules: Sequence[Rule], rule_input: RuleInput, keyed: Collection[str] = ()
) -> Decision:
    """Where the rules send a request. Never raises.

    Args:
        rules: as `in_order` has them.
        rule_input: the request, in the words of its event.
        keyed: the providers that the operator has a key for, or that want none.

    >>> mini = Rule(name="faq", priority=1, when=Conditions(feature="faq"),
    ...             then=RuleTarget(model="gpt-4o-mini"))
    >>> decide([mini], RuleInput("faq", None, "openai", "gpt-4o")).model
    'gpt-4o-mini'
    >>> decide([mini], RuleInput("faq", None, "anthropic", "claude-x")).skipped
    'model_of_another_provider'
    """
    rule = next((rule for rule in rules if mismatch(rule, rule_input) is None), None)
    if rule is None:
        return Decision(None, None, rule_input.model, rule_input.provider)
    skipped = obstacle(rule, rule_input, keyed)
    if skipped is not None:
        return Decision(None, skipped, rule_input.model, rule_input.provider)
    model = rule.then.model or rule_input.model
    return Decision(rule.name, None, model, rule.then.provider or rule_input.provider)


def mismatch(rule: Rule, rule_input: RuleInput) -> str | None:
    """What keeps a rule from matching: `disabled`, `operation` or a condition's name.

    >>> rule = Rule(name="r", priority=1, when=Conditions(model="gpt-4*"),
    ...             then=RuleTarget(model="gpt-4o-mini"))
    >>> mismatch(rule, RuleInput(model="gpt-4o")), mismatch(rule, RuleInput(model="o1"))
    (None, 'model')
    """
    if not rule.enabled:
        return "disabled"
    if rule_input.operation not in _RULED:
        return "operation"
    when = rule.when
    if when.provider is not None and when.provider != rule_input.provider:
        return "provider"
    if when.task is not None and when.task != rule_input.task:
        return "task"
    if when.feature is not None and not fits(
        when.feature, rule_input.feature or UNTAGGED
    ):
        return "feature"
    for name in ("model", *OF_RUN):
        wanted = getattr(when, name)
        if wanted is not None and not fits(wanted, getattr(rule_input, name)):
            return name
    return None


def obstacle(
    rule: Rule, rule_input: RuleInput, keyed: Collection[str] = ()
) -> Skipped | None:
    """Why a rule that matches a request cannot be applied to it; None: it can."""
    if rule_input.model is None:
        return "no_model"
    model, provider = rule.then.model or rule_input.model, rule.then.provider
    if model == rule_input.model and provider in (None, rule_input.provider):
        return "already_the_target"
    if rule_input.operation == "embeddings" and rule.then.model and not rule.when.model:
        return "embeddings"
    if not (rule.then.model and provider) and _of_another(model, provider, rule_input):
        return "model_of_another_provider"
    if provider is None or provider == rule_input.provider:
        return None
    if not offers(provider, rule_input.operation):
        return "not_offered"
    return None if provider in keyed else "no_operator_key"


def _of_another(model: str, provider: str | None, rule_input: RuleInput) -> bool:
    """The name is known for another vendor's; Azure's deployments are named freely."""
    to = provider or rule_input.provider
    return to != "azure" and provider_of_model(model) not in (None, to)


def fits(pattern: str, value: str | None) -> bool:
    """A name is the one wanted, or begins as it does where that ends in `*`.

    >>> fits("gpt-4*", "gpt-4o"), fits("gpt-4", "gpt-4o"), fits("*", None)
    (True, False, False)
    """
    if value is None:
        return False
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value == pattern

"""`lectr-lab rules`: which there are, what to look at in them, and what one request
would meet."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from cyclopts import App, Parameter

from lectr_lab.cli.say import say, say_json
from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import settings_here
from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.event import UNTAGGED, Event
from lectr_lab.core.headers import TASKS, ClientHeaders
from lectr_lab.core.registry import Registry, no_provider
from lectr_lab.core.routing.providers import resolve
from lectr_lab.core.routing.rules import Rule, RuleInput, decide, mismatch, obstacle
from lectr_lab.core.routing.rules_check import check_rules
from lectr_lab.core.routing.rules_file import RULES_FILE, read_rules

app = App(
    name="rules",
    help_epilogue="",
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
)
_WORDS = {
    "already_the_target": "the request asks for its target already",
    "no_model": "the request names no model",
    "embeddings": "an embedding is only replaced by a rule that names its model",
    "model_of_another_provider": "its model is another provider's",
    "not_offered": "its provider does not offer this operation in this form",
    "no_operator_key": "there is no operator's key for its provider",
}


class _Found(NamedTuple):
    """A rules file as it is, with what its rules depend on."""

    file: Path
    rules: tuple[Rule, ...]
    keys: OperatorKeys
    providers: Registry


@app.command(name="list")
def list_rules(*, config: Path | None = None, json: bool = False) -> None:
    """List the rules in the order in which they are tried.

    Example: lectr-lab rules list

    Args:
        config: the settings file (default: lectr.toml, where it is there).
        json: for other programs: a list with an object per rule.

    Raises:
        ConfigError: the rules cannot be followed.
    """
    found = _find(config)
    if json:
        say_json(msgspec.to_builtins(found.rules))
        return
    for rule in found.rules:
        state = "" if rule.enabled else "  (disabled)"
        said = f"{rule.name}: {_if(rule)} → {_then(rule)}{state}"
        say(f"{rule.priority:>3}  {said}")
    if not found.rules:
        say(f"No rules in {found.file}.")


@app.command
def check(*, config: Path | None = None) -> None:
    """Say whether the rules can be followed, and what to look at again in them.

    Example: lectr-lab rules check

    Args:
        config: the settings file (default: lectr.toml, where it is there).

    Raises:
        ConfigError: they cannot; a running proxy keeps those it has.
    """
    found = _find(config)
    keyed = found.keys.keyed("")
    for warned in check_rules(found.rules, keyed, _price_of, datetime.now(UTC).date()):
        say(f"warning: {warned.rule}: {warned.text}.")
    for problem in found.keys.problems:
        say(f"warning: {problem} here; what counts is the proxy's environment.")
    on = sum(rule.enabled for rule in found.rules)
    say(f"{found.file}: {on} in force, {len(found.rules) - on} disabled.")


@app.command
def explain(
    *,
    model: str,
    feature: str | None = None,
    task: str | None = None,
    provider: str | None = None,
    path: Literal[
        "chat", "completions", "embeddings", "responses", "messages"
    ] = "chat",
    client: str | None = None,
    agent: str | None = None,
    session: str | None = None,
    user: str | None = None,
    org: str = "",
    config: Path | None = None,
    json: bool = False,
) -> None:
    """Say which rule a request would take, and why each before it would not.

    Example: lectr-lab rules explain --feature faq --model gpt-4o

    Args:
        model: what the request asks for.
        feature: its X-Lectr-Feature; untagged without.
        task: its X-Lectr-Task.
        provider: its X-Lectr-Provider; detected from the model without.
        path: the kind of call.
        client: the program that asks, such as claude-code.
        agent: the agent of a session.
        session: its X-Lectr-Session, or the client's own.
        user: its X-Lectr-User.
        org: whose key it has, where organisations differ in their Azure endpoint.
        config: the settings file (default: lectr.toml, where it is there).
        json: for other programs: the rules that were tried, and where it would go.

    Raises:
        ConfigError: the rules cannot be followed, or there is no such provider.
    """
    found = _find(config)
    if provider is not None and provider not in found.providers:
        raise ConfigError(f"--provider: {no_provider(provider, found.providers)}.")
    raw_path = b"/v1/" + path.encode()
    client_headers = ClientHeaders(provider=provider)
    rule_input = RuleInput(
        feature=feature,
        task=task.lower() if task and task.lower() in TASKS else task,
        provider=resolve(client_headers, model, raw_path, found.providers).provider,
        model=model,
        operation=path,
        client=client,
        agent=agent,
        session=session,
        user=user,
    )
    keyed = found.keys.keyed(org)
    tried = list(_tried(found.rules, rule_input, keyed))
    decision = decide(found.rules, rule_input, keyed)
    if json:
        rules = [{"rule": rule.name, "verdict": verdict} for rule, verdict in tried]
        say_json({"tried": rules, **decision._asdict()})
        return
    for rule, verdict in tried:
        say(f"{rule.priority:>3}  {rule.name}: {verdict}")
    applied = f"by {decision.rule}" if decision.rule else "unchanged"
    say(f"→ {decision.model} of {decision.provider}, {applied}")


def _tried(
    rules: tuple[Rule, ...], rule_input: RuleInput, keyed: frozenset[str]
) -> Iterator[tuple[Rule, str]]:
    """Each rule up to the one that decides, and what became of it."""
    for rule in rules:
        held_back_by = mismatch(rule, rule_input)
        if held_back_by is None:
            word = obstacle(rule, rule_input, keyed)
            verdict = f"matches, but {_WORDS[word]}" if word else "matches"
            yield rule, verdict
            return
        yield rule, _why(rule, rule_input, held_back_by)


def _why(rule: Rule, rule_input: RuleInput, held_back_by: str) -> str:
    if held_back_by == "disabled":
        return "is disabled"
    wanted = getattr(rule.when, held_back_by)
    none = UNTAGGED if held_back_by == "feature" else "none"
    given = getattr(rule_input, held_back_by)
    return f"wants the {held_back_by} {wanted!r}, and it is {given or none!r}"


def _if(rule: Rule) -> str:
    names = rule.when.__struct_fields__
    values = ((name, getattr(rule.when, name)) for name in names)
    conditions = [f"{name} {value!r}" for name, value in values if value is not None]
    return ", ".join(conditions) or "every request"


def _then(rule: Rule) -> str:
    model = "the same model" if rule.then.model is None else repr(rule.then.model)
    return f"{model} of {rule.then.provider}" if rule.then.provider else model


def _find(config: Path | None) -> _Found:
    settings = settings_here(os.environ, config)
    file = Path(settings.rules or RULES_FILE)
    text = read_text(file, "`lectr-lab init` writes one to begin with.")
    providers = settings.registry()
    rules = read_rules(text, str(file), providers)
    return _Found(file, rules, OperatorKeys(settings, os.environ), providers)


def _price_of(provider: str | None, model: str) -> Decimal | None:
    """A thousand tokens in, five hundred out, today."""
    try:
        from lectr_lab.core.pricing.price import price_event
    except ImportError:
        return None
    return price_event(
        Event(
            event_id=bytes(16),
            started_at=datetime.now(UTC),
            org="",
            path="/v1/chat/completions",
            operation="chat",
            outcome="ok",
            total_ms=0.0,
            provider=provider,
            model_sent=model,
            input_tokens=1000,
            output_tokens=500,
        )
    )

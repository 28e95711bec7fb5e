"""rules.toml: the text of an operator's rules, and what is wrong with it where it is."""

from collections import Counter

import msgspec

from lectr_lab.core.registry import Registry, no_provider
from lectr_lab.core.routing.rules import Rule, in_order
from lectr_lab.core.toml_text import Toml, parsed

RULES_FILE = "rules.toml"
_MAX_NAME_CHARS = 100
_EXAMPLE = """\
A rule looks so:
[[rules]]
name = "faq-to-mini"
priority = 1
when = { feature = "faq", model = "gpt-4o" }
then = { model = "gpt-4o-mini" }"""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...] = ()


def read_rules(
    text: str,
    name: str = RULES_FILE,
    providers: Registry | None = None,
) -> tuple[Rule, ...]:
    """The rules of a file, in the order in which they are tried.

    Args:
        text: TOML, with a table `[[rules]]` for each rule.
        name: the file's, for messages.
        providers: those that a rule may name; None: any.

    Raises:
        ConfigError: it cannot be followed; names the rule, line and field.

    >>> [rule.name for rule in read_rules('''
    ... [[rules]]
    ... name = "faq-to-mini"
    ... priority = 1
    ... when = { feature = "faq" }
    ... then = { model = "gpt-4o-mini" }
    ... ''')]
    ['faq-to-mini']
    """
    toml = parsed(text, name, example=_EXAMPLE)
    rules = toml.struct(_File).rules
    for number, rule in enumerate(rules):
        _check(toml, number, rule, providers)
    _check_names(toml, rules)
    return in_order(rules)


def _check(toml: Toml, number: int, rule: Rule, providers: Registry | None) -> None:
    def refuse(field: str, advice: str) -> None:
        raise toml.refusal(field, advice, f"rules[{number}]")

    if not rule.name.strip() or not rule.name.isprintable():
        refuse("name", "give it a name of printable characters")
    if len(rule.name) > _MAX_NAME_CHARS:
        refuse("name", f"at most {_MAX_NAME_CHARS} characters")
    if rule.priority < 1:
        refuse("priority", "write a whole number from 1; 1 is tried first")
    if rule.then.model is None and rule.then.provider is None:
        refuse("then", "say a model, a provider or both")
    texts = (*msgspec.structs.asdict(rule.when).items(), ("model", rule.then.model))
    for field, value in texts:
        if value is not None and value.strip() != (value or None):
            refuse(field, "write a text without blanks around it, or leave it out")
    if rule.then.model is not None and rule.then.model.endswith("*"):
        refuse("model", "a target is one model, without *")
    for table, provider in (("when", rule.when.provider), ("then", rule.then.provider)):
        if provider and providers is not None and provider not in providers:
            refuse(f"{table}.provider", no_provider(provider, providers))


def _check_names(toml: Toml, rules: tuple[Rule, ...]) -> None:
    counts = Counter(rule.name for rule in rules)
    for number, rule in reversed(list(enumerate(rules))):
        if counts[rule.name] > 1:
            advice = "another rule has it; the log could not tell them apart"
            raise toml.refusal("name", advice, f"rules[{number}]")

"""rules.toml: the text of an operator's rules, and what is wrong with it where it is."""

import re
import tomllib
from collections import Counter
from typing import Any

import msgspec

from lectr_lab.core.errors import ConfigError
from lectr_lab.core.routing.registry import no_provider, registry
from lectr_lab.core.routing.rules import Rule, in_order

RULES_FILE = "rules.toml"
_MAX_NAME_CHARS = 100
_EXAMPLE = """\
[[rules]]
name = "faq-to-mini"
priority = 1
when = { feature = "faq", model = "gpt-4o" }
then = { model = "gpt-4o-mini" }"""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[Rule, ...] = ()


def read_rules(text: str, name: str = RULES_FILE) -> tuple[Rule, ...]:
    """The rules of a file, in the order in which they are tried.

    Args:
        text: TOML, with a table `[[rules]]` for each rule.
        name: the file's, for messages.

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
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) or "it is nested too deeply"
        raise ConfigError(
            f"{name} is not valid TOML: {reason}.\nA rule looks so:\n{_EXAMPLE}"
        ) from None
    try:
        rules = msgspec.convert(data, _File).rules
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(name, text, data, str(error))) from None
    for number, rule in enumerate(rules):
        _check(name, text, number, rule)
    _check_names(name, text, rules)
    return in_order(rules)


def _check(name: str, text: str, number: int, rule: Rule) -> None:
    def refuse(field: str, advice: str) -> None:
        place = _place(name, text, number, field.rpartition(".")[2])
        raise ConfigError(f"{place}: rule {rule.name!r}: {field}: {advice}.")

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
        if provider is not None and provider not in registry():
            refuse(f"{table}.provider", no_provider(provider))


def _check_names(name: str, text: str, rules: tuple[Rule, ...]) -> None:
    counts = Counter(rule.name for rule in rules)
    for number, rule in reversed(list(enumerate(rules))):
        if counts[rule.name] > 1:
            place = _place(name, text, number, "name")
            raise ConfigError(
                f"{place}: rule {rule.name!r}: name: another rule has it; the log "
                "could not tell them apart."
            )


def _explain(name: str, text: str, data: dict[str, Any], error: str) -> str:
    """`Object contains unknown field `x` - at `$.rules[0].when`` in a user's terms."""
    what, _, where = error.partition(" - at ")
    path = where.strip("`").removeprefix("$").lstrip(".")
    unknown = re.search(r"(unknown|missing required) field `(.+)`", what)
    field = unknown[2] if unknown else path.rpartition(".")[2]
    found = re.match(r"rules\[(\d+)\]\.?", path)
    if found is None:
        place = _place(name, text, None, field)
        return f"{place}: {_said(what)} A rule looks so:\n{_EXAMPLE}"
    number = int(found[1])
    row = data["rules"][number]
    called = row.get("name") if isinstance(row, dict) else None
    rule = repr(called) if isinstance(called, str) else f"number {number + 1}"
    inside = path[found.end() :]
    place = _place(name, text, number, field)
    return f"{place}: rule {rule}: {inside + ': ' if inside else ''}{_said(what)}"


def _said(what: str) -> str:
    return f"{what[0].lower()}{what[1:]}."


def _place(name: str, text: str, number: int | None, field: str) -> str:
    """`rules.toml, line 7`: the field's line in its rule, else the rule's first."""
    lines = text.splitlines()
    heads = [
        i for i, line in enumerate(lines) if re.match(r"\s*\[\[\s*rules\s*\]\]", line)
    ]
    if number is not None and number >= len(heads):
        return name  # the rules are written in another form
    begin = 0 if number is None else heads[number]
    end = (
        len(lines) if number is None or number + 1 >= len(heads) else heads[number + 1]
    )
    word = re.compile(rf"(^|[\s{{,.\[])[\"']?{re.escape(field)}[\"']?\s*[=\]]")
    hits = (i for i in range(begin, end) if word.search(lines[i]))
    line = next(hits, begin if number is not None else None)
    return name if line is None else f"{name}, line {line + 1}"

"""What a span of any convention says, by the columns of the log."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from lectr_lab.core.event import columns
from lectr_lab.log.importers.fields import number
from lectr_lab.log.importers.provider_names import model_and_provider

NO_CALL = "no call"
A_CALL = "call"

# Never from outside: who, when, and what is worked out here.
_OURS = frozenset(
    "event_id started_at org kind shadow_of total_ms operation source source_id "
    "token_source feature outcome path".split()
)
_FORMATS = {"json": "json_schema", "text": "text"}
_DETAILS = re.compile(r"gen_ai\.usage\.(?:details|raw)\.")


class _Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, as it is."""

    columns: dict[str, tuple[str, ...]]
    total: dict[str, tuple[str, ...]]
    milliseconds: dict[str, float]
    kinds: dict[str, dict[str, str]]


def facts_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a span's attributes have for the log's columns.

    Attributes that no table names, such as prompts and answers, are in none of them.

    >>> facts = facts_of({"llm.model_name": "gpt-4o", "llm.token_count.prompt": 12})
    >>> facts["model_requested"], facts["input_tokens"]
    ('gpt-4o', 12)
    """
    facts: dict[str, Any] = {}
    for column, names in _names_of_columns().items():
        said = ((n, attributes[n]) for n in names if attributes.get(n) is not None)
        for name, value in said:
            facts[column] = _in_our_unit(name, value)
            break
    if "response_format" in facts:
        facts["response_format"] = _FORMATS.get(facts["response_format"])
    model, provider = model_and_provider(
        facts.get("model_requested"), facts.get("provider")
    )
    answered, _ = model_and_provider(facts.get("model_actual"), facts.get("provider"))
    named = {"model_requested": model, "model_actual": answered, "provider": provider}
    return facts | {name: value for name, value in named.items() if value is not None}


def total_of(attributes: Mapping[str, Any]) -> Any:
    """All tokens of the call, as the span says; None where it does not."""
    names = _names().total["names"]
    return next((attributes[n] for n in names if attributes.get(n) is not None), None)


def kind_of(attributes: Mapping[str, Any]) -> str | None:
    """The operation that a span says it was; NO_CALL, or A_CALL for one of no name here.

    >>> kind_of({"gen_ai.operation.name": "chat"}), kind_of({"http.method": "GET"})
    ('chat', None)
    >>> kind_of({"openinference.span.kind": "TOOL"})
    'no call'
    """
    for name, kinds in _names().kinds.items():
        said = attributes.get(name)
        if isinstance(said, str) and said:
            return kinds.get(said, A_CALL)
    return None


@cache
def _names_of_columns() -> Mapping[str, tuple[str, ...]]:
    standard = {c.name: (c.otel,) for c in columns() if c.name not in _OURS}
    others = _names().columns
    return {
        name: (*standard.get(name, ()), *others.get(name, ()))
        for name in {**standard, **others}
    } | {"ttft_ms": (*standard["ttft_ms"], *_first_token_names())}


def _first_token_names() -> tuple[str, ...]:
    return tuple(n for n in _names().milliseconds if "irst" in n and "byte" not in n)


def _in_our_unit(name: str, value: Any) -> Any:
    if isinstance(value, list):
        value = value[0] if value else None
    factor = _names().milliseconds.get(name)
    if factor is None:
        return value
    found = number(value)
    return None if found is None else round(found * factor, 3)


@cache
def _names() -> _Names:
    text = files("lectr_lab.log.importers").joinpath("otel_names.toml")
    return msgspec.convert(tomllib.loads(text.read_text("utf-8")), _Names)

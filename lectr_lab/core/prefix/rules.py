"""Each vendor's documented rules for caching the beginning of a prompt:
`cache_rules.toml`, read once."""

import tomllib
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

ASSUMED_LIFETIME_S = 3600
"""Of a cached prefix, where its vendor documents none. Ours: after an hour's pause a miss
is laid to the pause, before it to the provider."""

Keeps = Literal["nothing", "tools", "system"]


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field of the body that a prefix depends on, and what of it stays where that
    changes."""

    name: str
    keeps: Keeps


class ModelRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds of some models of a vendor."""

    models: tuple[str, ...]
    minimum_tokens: int
    step_tokens: int | None = None  # None: the vendor's
    by_request: bool = False
    lifetime_s: int | None = None  # None: not documented
    longer_s: int | None = None
    longer_writes: str | None = None
    longer_how: str | None = None


class CacheRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vendor documents, and where."""

    name: str
    providers: tuple[str, ...]
    marks: Literal["explicit", "automatic"]
    step_tokens: int
    parameters: tuple[Parameter, ...]
    source: str
    checked: date
    model: tuple[ModelRule, ...]
    elsewhere: tuple[str, ...] = ()
    unhashed_system: str | None = None

    def of_model(self, model: str | None) -> ModelRule:
        """What holds of a model."""
        return next(one for one in self.model if _fits(model, one.models))


def rule_of(provider: str | None, model: str | None) -> CacheRule | None:
    """The rule that a request's prompt is cached by; None where none is documented.

    Args:
        provider: as in the event.
        model: that was asked for.

    >>> rule_of("anthropic", "claude-opus-5-5").of_model("claude-opus-5-5").lifetime_s
    300
    >>> rule_of("openrouter", "anthropic/claude-sonnet-4.5").name
    'anthropic'
    >>> rule_of("perplexity", "sonar")
    """
    for rule in cache_rules():
        if provider in rule.providers:
            return rule
    elsewhere = (rule for rule in cache_rules() if _fits(model, rule.elsewhere))
    return next(elsewhere, None)


@cache
def cache_rules() -> tuple[CacheRule, ...]:
    """The table, in the order of the file."""
    file = files("lectr_lab.core.prefix").joinpath("cache_rules.toml")
    tables = tomllib.loads(file.read_text("utf-8"))["rule"]
    return tuple(msgspec.convert(table, CacheRule) for table in tables)


def _fits(model: str | None, patterns: tuple[str, ...]) -> bool:
    name = (model or "").lower()
    return any(fnmatchcase(name, pattern) for pattern in patterns)

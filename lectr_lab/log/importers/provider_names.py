"""The provider that another tool names, as the log names it."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lectr_lab.core.registry import registry, shipped

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_BEDROCK_WAYS = frozenset({"converse", "converse_like", "invoke", "bedrock"})


def provider_name(name: Any) -> str | None:
    """The log's name of a provider; None where there is none.

    >>> provider_name("OpenAI"), provider_name("google-gla"), provider_name("openai.chat")
    ('openai', 'gemini', 'openai')
    >>> provider_name("our-own"), provider_name(" "), provider_name(7)
    ('our-own', None, None)
    """
    if not isinstance(name, str) or not (given := name.strip().lower()):
        return None
    known = _names()
    if given in known:
        return known[given]
    before = given.rpartition(".")[0]  # openai.responses, google.vertex.chat
    while before:
        if before in known or before in shipped():
            return known.get(before, before)
        before = before.rpartition(".")[0]
    if given.startswith(("vertex_ai-", "vertex-")):  # vertex_ai-anthropic_models
        return "vertex_ai"
    return given


def provider_of_model(model: str | None) -> str | None:
    """Whose a model is, where its name alone tells who sold it.

    >>> provider_of_model("claude-sonnet-4-5"), provider_of_model("llama-3.3-70b")
    ('anthropic', None)
    """
    named = registry().of_model(model) if model else None
    return named if named in _sole_sellers() else None


def model_and_provider(model: Any, provider: Any) -> tuple[str | None, str | None]:
    """A model without its provider's prefix, and the provider, as the log names both.

    LiteLLM writes `groq/llama-3.1-8b-instant`; what is left of OpenRouter's names has a
    vendor of its own.

    >>> model_and_provider("openrouter/anthropic/claude-sonnet-4.5", "openrouter")
    ('anthropic/claude-sonnet-4.5', 'openrouter')
    >>> model_and_provider("gemini/gemini-2.5-flash", None)
    ('gemini-2.5-flash', 'gemini')
    >>> model_and_provider("bedrock/converse/us.anthropic.claude-opus-4-6-v1:0", "bedrock")
    ('us.anthropic.claude-opus-4-6-v1:0', 'bedrock')
    >>> model_and_provider("meta-llama/Llama-3.3-70B", "together_ai")
    ('meta-llama/Llama-3.3-70B', 'together')
    """
    whose = provider_name(provider)
    if not isinstance(model, str) or not model.strip():
        return None, whose
    model = model.strip()
    prefix, slash, rest = model.partition("/")
    named = provider_name(prefix) if slash else None
    if named is not None and rest and (named == whose or (_known(named) and not whose)):
        whose, model = named, rest
    if whose == "bedrock":
        model = _of_bedrock(model)
    return model, whose


def _of_bedrock(model: str) -> str:
    """`converse/eu-west-1/anthropic.claude-…`: the way there is no part of the name."""
    parts = model.split("/")
    while len(parts) > 1 and (parts[0] in _BEDROCK_WAYS or _REGION.fullmatch(parts[0])):
        parts = parts[1:]
    return "/".join(parts)


def _known(name: str) -> bool:
    return name in shipped() or name in _names().values()


@cache
def _names() -> Mapping[str, str]:
    return _table()["names"]


@cache
def _sole_sellers() -> frozenset[str]:
    return frozenset(_table()["sole"]["sellers"])


@cache
def _table() -> dict[str, Any]:
    text = files("lectr_lab.log.importers").joinpath("provider_names.toml")
    return tomllib.loads(text.read_text("utf-8"))

"""Whose model a gateway's name means, so that its vendor's price can be taken.

Only names that say it themselves: a vendor before a slash, as OpenRouter and LiteLLM
write it, a seller, as LiteLLM does (docs.litellm.ai/docs/providers, as of 2026-11-30),
ids of Bedrock, and Vertex's with a date behind an @. Of open weights (gpt-oss,
gemma) anybody may be the seller, and a suffix (`:free`, `:batch`) is a price of its own:
those say nothing here.
"""

import re
from typing import NamedTuple

_VENDORS = {
    "anthropic": ("anthropic", re.compile(r"claude-[a-z0-9.@-]+")),
    "openai": (
        "openai",
        re.compile(r"(?:gpt-(?!oss)|chatgpt-|o[134]|text-embedding-)[a-z0-9.-]*"),
    ),
    "google": ("gemini", re.compile(r"gemini-[a-z0-9.-]+")),
}
# LiteLLM's names of sellers, and ours. Its region before a model (azure/eu/…) has a price
# of its own. Of vendors whose weights others sell, what is an alias of their own API.
_SELLERS = {
    "azure": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "fireworks_ai": "fireworks",
    "gemini": "gemini",
    "groq": "groq",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "vertex_ai": "gemini",
    "xai": "xai",
}
_OWN_ALIASES = {
    "deepseek": re.compile(r"deepseek-(?:chat|reasoner)"),
    "mistral": re.compile(r"[a-z0-9-]+-latest"),
}
# GovCloud's prices are others.
_BEDROCK = re.compile(
    r"(?:(?:us|eu|apac|au|jp|ca|global)\.)?anthropic\.(claude-[a-z0-9-]+?)(?:-v\d(?::\d)?)?"
)
_VERTEX = re.compile(r"(claude-[a-z0-9-]+)@(\d{8}|default|latest)")


class Listed(NamedTuple):
    """Under whom a model may be listed, and by which name."""

    provider: str
    model: str


def listed_by_vendor(model: str) -> tuple[Listed, ...]:
    """Where the price of a gateway's model may stand, the nearest first.

    Returns:
        Providers as events name them, and `aws`. None of them for any other name.

    >>> listed_by_vendor("anthropic/claude-sonnet-4.5")
    (Listed(provider='anthropic', model='claude-sonnet-4.5'),)
    >>> [at.provider for at in listed_by_vendor("us.anthropic.claude-opus-4-6-v1:0")]
    ['aws', 'anthropic']
    >>> listed_by_vendor("openai/gpt-oss-20b"), listed_by_vendor("claude-opus-4-6")
    ((), ())
    >>> listed_by_vendor("groq/llama-3.1-8b-instant")
    (Listed(provider='groq', model='llama-3.1-8b-instant'),)
    """
    name = model.lower()
    vendor, slash, rest = name.partition("/")
    if slash and rest and vendor in _SELLERS:
        return (Listed(_SELLERS[vendor], rest), *_from_elsewhere(vendor, rest))
    if slash and vendor in _OWN_ALIASES:
        own = _OWN_ALIASES[vendor].fullmatch(rest)
        return (Listed(vendor, rest),) if own else ()
    if slash and vendor in _VENDORS:
        provider, names = _VENDORS[vendor]
        return (Listed(provider, rest),) if names.fullmatch(rest) else ()
    if bedrock := _BEDROCK.fullmatch(name):
        return Listed("aws", name), Listed("anthropic", bedrock[1])
    if vertex := _VERTEX.fullmatch(name):
        return Listed("gemini", name), Listed("anthropic", f"{vertex[1]}-{vertex[2]}")
    return ()


def _from_elsewhere(seller: str, name: str) -> tuple[Listed, ...]:
    """Whose model a cloud sells, by the cloud's own name for it."""
    return listed_by_vendor(name) if seller in ("bedrock", "vertex_ai") else ()

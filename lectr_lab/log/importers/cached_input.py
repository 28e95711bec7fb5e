"""Whether counts of input hold what came from a cache or went to one, or stand beside it.

Both are conventions in wide use (OpenAI's is the first, Anthropic's the second), and a
row seldom says which it follows. The log's is the first. Where a source does not state
it, arithmetic may: more cached than input cannot be a part of it.
"""

from collections.abc import Mapping
from typing import Any

from lectr_lab.log.importers.fields import Cached, fitted

TOLD_APART = "calls with cached input counted apart from input: added up"
AS_STATED = "calls with more cached input than input, which nobody can price; if it is counted apart, say --cached-apart"
_PARTS = ("cache_read_tokens", "cache_write_tokens")


def convention(facts: Mapping[str, Any], total: Any = None) -> Cached | None:
    """What a row's own numbers say of it; None where they do not.

    Args:
        facts: values by column of the log.
        total: what the row says that all its tokens are.

    >>> row = {"input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 80}
    >>> convention(row | {"cache_read_tokens": 800}), convention(row, 190)
    ('apart', 'apart')
    >>> convention(row, 110), convention(row)
    ('included', None)
    """
    given, parts = counts(facts)
    if given is None or not parts:
        return None
    if parts > given:
        return "apart"
    whole = fitted("input_tokens", total)
    output = fitted("output_tokens", facts.get("output_tokens")) or 0
    if whole == given + parts + output:
        return "apart"
    return "included" if whole == given + output else None


def with_cached(facts: Mapping[str, Any], how: Cached | None) -> dict[str, Any]:
    """The facts of a row, its input with the cached part in it.

    >>> row = {"input_tokens": "3", "cache_read_tokens": "90", "cache_write_tokens": ""}
    >>> with_cached(row, "apart")["input_tokens"], with_cached(row, None)["input_tokens"]
    (93, '3')
    """
    given, parts = counts(facts)
    if how != "apart" or not parts:
        return dict(facts)
    return {**facts, "input_tokens": (given or 0) + parts}


def counts(facts: Mapping[str, Any]) -> tuple[int | None, int]:
    """Input as it is given, and what was read from a cache and written to it."""
    given = fitted("input_tokens", facts.get("input_tokens"))
    return given, sum(fitted(name, facts.get(name)) or 0 for name in _PARTS)

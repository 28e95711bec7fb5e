"""Usage blocks, as each provider writes them, in the event's columns.

Facts, from the providers' API references and the recordings:

- Chat and completions count `prompt_tokens`, cached and audio ones included; responses
  call them `input_tokens`. Reasoning is a part of the output. Nothing is added.
- Anthropic's `input_tokens` leaves out what was read from a cache or written to one:
  the three are a sum.
- The extractors of genai-prices read the same keys; a test holds the two together.
"""

from typing import Any

import msgspec

from lectr_lab.core.lenient import count


class TokenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The event's token columns; None is what the provider did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    cache_read_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    web_searches: int | None = None


def read_usage(usage: dict[str, Any]) -> TokenCounts:
    """Token counts of a usage block of any provider.

    Args:
        usage: the block as decoded from JSON; of a stream, its blocks merged key by
            key, the later ones over the earlier.

    >>> anthropic = {"input_tokens": 3, "cache_read_input_tokens": 90}
    >>> read_usage(anthropic).input_tokens
    93
    """
    sent = _part(usage, "prompt_tokens_details") or _part(usage, "input_tokens_details")
    got = _part(usage, "completion_tokens_details") or _part(
        usage, "output_tokens_details"
    )
    return TokenCounts(
        input_tokens=_input_tokens(usage),
        output_tokens=_first(usage, "completion_tokens", "output_tokens"),
        cache_read_tokens=_either(
            _first(sent, "cached_tokens"),
            _first(usage, "cache_read_input_tokens", "cached_tokens"),
        ),
        cache_write_tokens=_either(
            _first(sent, "cache_write_tokens"),
            _first(usage, "cache_creation_input_tokens"),
        ),
        cache_write_1h_tokens=_first(
            _part(usage, "cache_creation"), "ephemeral_1h_input_tokens"
        ),
        reasoning_tokens=_first(got, "reasoning_tokens", "thinking_tokens"),
        input_audio_tokens=_first(sent, "audio_tokens"),
        output_audio_tokens=_first(got, "audio_tokens"),
        cache_read_audio_tokens=_first(
            _part(sent, "cached_tokens_details"), "audio_tokens"
        ),
        input_image_tokens=_first(sent, "image_tokens"),
        output_image_tokens=_first(got, "image_tokens"),
        web_searches=_first(_part(usage, "server_tool_use"), "web_search_requests"),
    )


def usage_of_timings(timings: dict[str, Any]) -> dict[str, Any]:
    """The usage block that llama.cpp's server leaves out where nobody asked for it.

    `prompt_n` is the prompt less the `cache_n` tokens found in its cache; servers that
    do not say the second have not said how long the prompt was.

    >>> usage_of_timings({"prompt_n": 1, "cache_n": 20, "predicted_n": 5})
    {'prompt_tokens': 21, 'completion_tokens': 5}
    """
    fresh, cached = count(timings.get("prompt_n")), count(timings.get("cache_n"))
    written = count(timings.get("predicted_n"))
    if fresh is None or cached is None or written is None:
        return {}
    return {"prompt_tokens": fresh + cached, "completion_tokens": written}


def _input_tokens(usage: dict[str, Any]) -> int | None:
    whole = _first(usage, "prompt_tokens")
    rest = _first(usage, "input_tokens")
    if whole is not None or rest is None:
        return whole
    read = _first(usage, "cache_read_input_tokens") or 0
    written = _first(usage, "cache_creation_input_tokens") or 0
    return count(rest + read + written)


def _part(usage: dict[str, Any], key: str) -> dict[str, Any]:
    part = usage.get(key)
    return part if isinstance(part, dict) else {}


def _first(block: dict[str, Any], *keys: str) -> int | None:
    """The first of the keys that holds a count."""
    for key in keys:  # asked some twenty times a reply: a generator costs twice this
        if key in block and (found := count(block[key])) is not None:
            return found
    return None


def _either(one: int | None, other: int | None) -> int | None:
    return other if one is None else one

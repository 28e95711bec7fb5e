"""Usage blocks, as each provider writes them, in the event's columns.

Facts, from the providers' API references and the recordings:

- Chat and completions count `prompt_tokens`, cached and audio ones included; responses
  call them `input_tokens`. Reasoning is a part of the output. Nothing is added.
- Anthropic's `input_tokens` leaves out what was read from a cache or written to one:
  the three are a sum.
- What a call cost is told by OpenRouter and gateways as `cost` in USD, by Perplexity as
  its `total_cost`, by xAI as `cost_in_usd_ticks` of 1e-10 USD
  (https://docs.x.ai/developers/cost-tracking, read 2026-11-30).
- The extractors of genai-prices read the same keys; a test holds the two together.
  What both leave out and a provider bills is added in `billed.py`.
"""

from typing import Any, TypeAlias

import msgspec

from lectr_lab.core.llm_api.billed import billed
from lectr_lab.core.llm_api.lenient_json import count

# Keys and the columns they are; of two for one column the later counts.
_Columns: TypeAlias = dict[str, str]
_TOP: _Columns = {
    "output_tokens": "output_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}
_SENT: _Columns = {
    "cached_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
}
_GOT: _Columns = {
    "thinking_tokens": "reasoning_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "audio_tokens": "output_audio_tokens",
    "image_tokens": "output_image_tokens",
}
_CACHED: _Columns = {"audio_tokens": "cache_read_audio_tokens"}
_PARTS: dict[str, _Columns] = {
    "input_tokens_details": _SENT,
    "input_token_details": _SENT,  # of transcriptions
    "prompt_tokens_details": _SENT,
    "output_tokens_details": _GOT,
    "completion_tokens_details": _GOT,
    "cache_creation": {"ephemeral_1h_input_tokens": "cache_write_1h_tokens"},
    "server_tool_use": {"web_search_requests": "web_searches"},
}
_TICKS_PER_USD = 10**10
_MOST_COST = 10**15  # a million USD in ticks


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


def usage_columns(usage: dict[str, Any]) -> dict[str, int]:
    """What a usage block of any provider tells, by the column of `TokenCounts`.

    Args:
        usage: the block as decoded from JSON; of a stream, its blocks merged key by
            key, the later ones over the earlier.

    >>> usage_columns({"input_tokens": 3, "cache_read_input_tokens": 90})
    {'input_tokens': 93, 'cache_read_tokens': 90}
    >>> usage_columns({"prompt_tokens": 2, "prompt_tokens_details": None})
    {'input_tokens': 2}
    """
    usage = billed(usage)
    told = _told(usage, _TOP)
    for key in filter(usage.__contains__, _PARTS):
        part = usage[key]
        if isinstance(part, dict):
            told |= _told(part, _PARTS[key])
            if isinstance(cached := part.get("cached_tokens_details"), dict):
                told |= _told(cached, _CACHED)
    input_tokens = _input_tokens(usage)
    return told if input_tokens is None else {"input_tokens": input_tokens, **told}


def stated_cost_usd(usage: dict[str, Any]) -> float | None:
    """What a usage block says that the call cost, in US dollars.

    >>> stated_cost_usd({"cost": 0.0123}), stated_cost_usd({"cost_in_usd_ticks": 5e7})
    (0.0123, 0.005)
    >>> stated_cost_usd({"cost": {"total_cost": 0.006}}), stated_cost_usd({"cost": "?"})
    (0.006, None)
    """
    ticks, cost = usage.get("cost_in_usd_ticks"), usage.get("cost")
    if ticks is cost is None:
        return None  # nearly every reply
    if (amount := _amount(ticks)) is not None:
        return amount / _TICKS_PER_USD
    return _amount(cost.get("total_cost") if isinstance(cost, dict) else cost)


def _amount(value: Any) -> float | None:
    # Compared, not converted: NaN and what is too large for a float fall out.
    fits = type(value) in (int, float) and 0 <= value < _MOST_COST
    return float(value) if fits else None


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
    whole = count(usage.get("prompt_tokens"))
    if whole is not None:
        return whole
    rest = count(usage.get("input_tokens"))
    if rest is None:
        return None
    read = count(usage.get("cache_read_input_tokens")) or 0
    written = count(usage.get("cache_creation_input_tokens")) or 0
    return count(rest + read + written)


def _told(block: dict[str, Any], columns: _Columns) -> dict[str, int]:
    """What the keys of a block that hold counts say."""
    return {
        columns[key]: found
        for key in filter(block.__contains__, columns)
        if (found := count(block[key])) is not None
    }

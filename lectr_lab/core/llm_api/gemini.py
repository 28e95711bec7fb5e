"""Replies in Gemini's own form (`generateContent`), read where a chat reply is.

A gateway may answer in this form where another was asked for, so both are read by one
dialect. Facts, from the recordings and the bodies of genai-prices:

- `usageMetadata` is cumulative and on every chunk. Thoughts are counted beside the
  candidates, and a tool's prompt beside the prompt: both are billed with them.
- A chunk tells its end by `finishReason`, and its model as `modelVersion`.

A search of Google's is billed by the query, empty ones and repeats left out; up to
Gemini 2.5 once for a prompt, however many queries it took. Google Maps is billed as
well. (https://ai.google.dev/gemini-api/docs/google-search, as of 2026-11-30; not in the
recordings.)
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.dialect import Answer
from lectr_lab.core.llm_api.lenient_json import count

# Pages of a document are billed as images, and so is a video where its price is not that
# of text; where a list has another price for it, images have none (`core/pricing/price.py`).
_MODALITIES = {
    "AUDIO": "audio_tokens",
    "IMAGE": "image_tokens",
    "DOCUMENT": "image_tokens",
    "VIDEO": "image_tokens",
}
_BILLED_ONCE = ("gemini-1", "gemini-2", "models/gemini-1", "models/gemini-2")


class FunctionCall(msgspec.Struct):
    """A tool, and what it is called with."""

    name: str | None = None
    args: Any = None


class Part(msgspec.Struct, rename="camel"):
    """A piece of the content."""

    text: str | None = None
    thought: Any = None
    function_call: FunctionCall | None = None


class Content(msgspec.Struct):
    """A message, or a piece of one."""

    parts: list[Part] | None = None


class Source(msgspec.Struct):
    """Where a piece of an answer is from."""

    maps: Any = None


class Grounding(msgspec.Struct, rename="camel"):
    """What an answer was looked up by."""

    web_search_queries: list[str] | None = None
    grounding_chunks: list[Source] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    """One of n answers."""

    index: int | None = None
    content: Content | None = None
    finish_reason: str | None = None
    grounding_metadata: Grounding | None = None


def take_candidates(answer: Answer, candidates: list[Candidate]) -> None:
    """Take in the answers of a reply or a chunk."""
    for position, candidate in enumerate(candidates):
        index = position if candidate.index is None else candidate.index
        answer.choose(index, candidate.finish_reason)
        content = candidate.content or Content()
        answer.write(None, index)
        for part in content.parts or ():
            _take_part(answer, index, part)
        if candidate.grounding_metadata is not None:
            _take_grounding(answer, candidate.grounding_metadata)


def usage_of_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """The usage block that says what a `usageMetadata` does.

    >>> usage = {"promptTokenCount": 9, "candidatesTokenCount": 2}
    >>> usage_of_metadata(usage | {"thoughtsTokenCount": 30})["completion_tokens"]
    32
    """
    thoughts = count(metadata.get("thoughtsTokenCount"))
    sent = _by_modality(metadata, "promptTokensDetails", "toolUsePromptTokensDetails")
    cached = _by_modality(metadata, "cacheTokensDetails")
    got = _by_modality(metadata, "candidatesTokensDetails")
    return {
        "prompt_tokens": _sum(metadata, "promptTokenCount", "toolUsePromptTokenCount"),
        "completion_tokens": _sum(
            metadata, "candidatesTokenCount", "thoughtsTokenCount"
        ),
        "cached_tokens": count(metadata.get("cachedContentTokenCount")),
        "prompt_tokens_details": sent | {"cached_tokens_details": cached},
        "completion_tokens_details": got | {"reasoning_tokens": thoughts},
    }


def _take_grounding(answer: Answer, found: Grounding) -> None:
    queries = len(set(filter(None, found.web_search_queries or ())))
    once = (answer.model or "").startswith(_BILLED_ONCE)
    answer.searches = max(answer.searches, min(queries, 1) if once else queries)
    if any(source.maps for source in found.grounding_chunks or ()):
        answer.tool_calls = answer.tool_calls or 1


def _take_part(answer: Answer, index: int, part: Part) -> None:
    if part.text:
        (answer.measure if part.thought else answer.write)(part.text, index)
    if called := part.function_call:
        arguments = msgspec.json.encode(called.args).decode()
        answer.call(object(), called.name or "", arguments, index)  # each is whole


def _sum(metadata: dict[str, Any], *keys: str) -> int | None:
    told = [n for key in keys if (n := count(metadata.get(key))) is not None]
    return sum(told) if told else None


def _by_modality(metadata: dict[str, Any], *keys: str) -> dict[str, int]:
    tokens: dict[str, int] = {}
    details = [metadata[key] for key in keys if isinstance(metadata.get(key), list)]
    for detail in (one for several in details for one in several):
        if isinstance(detail, dict) and isinstance(detail.get("modality"), str):
            name = _MODALITIES.get(detail["modality"])
            told = count(detail.get("tokenCount"))
            if name is not None and told is not None:
                tokens[name] = tokens.get(name, 0) + told
    return tokens

"""Replies of `/v1/chat/completions`, `/v1/completions` and `/v1/embeddings`, as OpenAI,
Azure, Groq, Gemini, Anthropic and llama.cpp write them.

Facts, from the recordings (numbers as in their findings):

- 5: `usage` is null on earlier chunks, and a chunk without choices is not its mark:
  Azure opens a stream with one, and with an empty `model`.
- 6, 7: usage need not come last, comes on every chunk (Gemini), or three times (Groq).
- Groq puts it into `x_groq` without being asked.
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.dialect import Answer, Dialect
from lectr_lab.core.llm_api.gemini import Candidate, take_candidates, usage_of_metadata


class Part(msgspec.Struct):
    """A piece of a content list."""

    text: str | None = None
    refusal: str | None = None


class FunctionCall(msgspec.Struct):
    """A tool, and what it is called with: JSON of a function, text of a custom one."""

    name: str | None = None
    arguments: str | None = None
    input: str | None = None


class ToolCall(msgspec.Struct):
    """A tool call, or a piece of one."""

    index: int | None = None
    function: FunctionCall | None = None
    custom: FunctionCall | None = None


class Message(msgspec.Struct):
    """A message, or a delta of one."""

    content: str | list[Part] | None = None
    reasoning_content: str | None = None  # llama.cpp, vLLM, DeepSeek
    reasoning: str | None = None  # Groq, OpenRouter
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: FunctionCall | None = None
    audio: Any = None


class Choice(msgspec.Struct):
    """One of n answers."""

    index: int | None = None
    delta: Message | None = None
    message: Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    usage: Any = None  # Moonshot's, in the last chunk of a stream


class XGroq(msgspec.Struct):
    """Groq's own corner of a chunk."""

    usage: Any = None
    error: Any = None


class ChatReply(msgspec.Struct):
    """A whole reply or a chunk of a stream."""

    id: Any = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Any = None
    x_groq: XGroq | None = None
    timings: Any = None  # llama.cpp
    service_tier: str | None = None
    error: Any = None
    # Gemini's own form
    candidates: list[Candidate] | None = None
    usage_metadata: Any = msgspec.field(default=None, name="usageMetadata")
    model_version: str | None = msgspec.field(default=None, name="modelVersion")
    response_id: Any = msgspec.field(default=None, name="responseId")


def take_chat(answer: Answer, reply: ChatReply) -> None:
    """Take in a reply or a chunk."""
    if reply.model:
        answer.model = reply.model
    answer.response_id = answer.response_id or reply.id
    for position, choice in enumerate(reply.choices or ()):
        index = position if choice.index is None else choice.index
        answer.choose(index, choice.finish_reason)
        if choice.usage is not None:
            answer.use(choice.usage)
        _take_choice(answer, index, choice)
    groq = reply.x_groq
    if groq is not None:
        answer.use(groq.usage)
    if reply.usage is not None:
        answer.use(reply.usage)
    if isinstance(reply.timings, dict):
        answer.timings = reply.timings
    if reply.service_tier:
        answer.tier = reply.service_tier
    error = reply.error or (groq and groq.error)
    if error:
        answer.fail(error)
    if reply.candidates is not None or reply.usage_metadata is not None:
        _take_native(answer, reply)


def _take_native(answer: Answer, reply: ChatReply) -> None:
    answer.model = reply.model_version or answer.model
    answer.response_id = answer.response_id or reply.response_id
    take_candidates(answer, reply.candidates or [])
    if isinstance(reply.usage_metadata, dict):
        answer.use(usage_of_metadata(reply.usage_metadata))
        answer.use({"service_tier": reply.usage_metadata.get("serviceTier")})


def _take_choice(answer: Answer, index: int, choice: Choice) -> None:
    message = choice.delta or choice.message
    if choice.text or message is None:
        answer.write(choice.text, index)
    if message is None:
        return
    if isinstance(message.content, list):
        answer.write(None, index)  # it may be empty
        for part in message.content:
            answer.write(part.text or part.refusal, index)
    else:
        answer.write(message.content, index)
    if reasoning := message.reasoning_content or message.reasoning:
        answer.measure(reasoning)
    if message.refusal:
        answer.write(message.refusal, index)
    if message.tool_calls or message.function_call or message.audio:
        answer.begin_untold()
        _take_calls(answer, index, message)


def _take_calls(answer: Answer, index: int, message: Message) -> None:
    for position, call in enumerate(message.tool_calls or ()):
        tool = call.function or call.custom or FunctionCall()
        place = position if call.index is None else call.index
        answer.call(place, tool.name or "", tool.arguments or tool.input, index)
    if one := message.function_call:
        answer.call(None, one.name or "", one.arguments, index)


CHAT = Dialect(msgspec.json.Decoder(ChatReply), take_chat)
"""The dialect of the three."""

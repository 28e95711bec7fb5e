"""Replies of Anthropic's `/v1/messages`.

Facts, from the recordings (8 of their findings): a stream's `message_start` holds the
input's counts and a placeholder for the output's; `message_delta` is cumulative, and
where it repeats a count it corrects it. A stream ends with `message_stop`.

Fast mode is told as the usage's `speed`, beside a `service_tier` of `standard`, and has
a price of its own. Not seen in the recordings.
(https://platform.claude.com/docs/build-with-claude/fast-mode)
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.dialect import Answer, Dialect


class Block(msgspec.Struct):
    """A piece of the content, or a delta of one."""

    type: str | None = None
    name: str | None = None  # of a tool
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    input: Any = None
    stop_reason: str | None = None  # of message_delta


class Message(msgspec.Struct):
    """The message, whole or as a stream opens it."""

    id: Any = None
    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Any = None


class MessagesReply(Message):
    """A whole message or one event of a stream."""

    type: str | None = None
    index: int | None = None
    delta: Block | None = None
    content_block: Block | None = None
    message: Message | None = None
    error: Any = None


def take_messages(answer: Answer, reply: MessagesReply) -> None:
    """Take in a message or an event."""
    kind = reply.type
    if kind == "content_block_delta":
        if reply.delta is not None:
            _take_piece(answer, reply.index, reply.delta)
    elif kind == "message_delta":
        answer.choose(0, reply.delta.stop_reason if reply.delta else None)
        _use(answer, reply.usage)
    elif kind == "content_block_start":
        _begin_block(answer, reply.index, reply.content_block or Block())
    elif kind == "message_stop":
        answer.complete = True
    elif kind == "error" or reply.error:
        answer.fail(reply.error)
    else:
        _take_whole(answer, reply.message or reply)


def _take_whole(answer: Answer, message: Message) -> None:
    if message.content is None and message.usage is None:
        return  # a ping, or a kind of event that is not known here
    answer.model = message.model or answer.model
    answer.response_id = answer.response_id or message.id
    answer.choose(0, message.stop_reason)
    _use(answer, message.usage)
    for place, block in enumerate(message.content or ()):
        _begin_block(answer, place, block)
        if block.input is not None:  # a stream gives it in pieces
            answer.call(place, None, msgspec.json.encode(block.input).decode())
    answer.write(None)


def _use(answer: Answer, usage: Any) -> None:
    answer.use(usage)
    if answer.usage.get("speed") == "fast":
        answer.tier = "fast"


def _begin_block(answer: Answer, place: int | None, block: Block) -> None:
    _take_piece(answer, place, block)
    if (block.type or "").endswith("tool_use"):  # of the client's tools or the server's
        answer.begin_untold()
    if block.type == "tool_use":
        answer.call(place, block.name or "", None)


def _take_piece(answer: Answer, place: int | None, block: Block) -> None:
    answer.write(block.text)
    if block.thinking:
        answer.measure(block.thinking)
    if block.partial_json:
        answer.call(place, None, block.partial_json)


MESSAGES = Dialect(msgspec.json.Decoder(MessagesReply), take_messages)
"""The dialect of Anthropic's messages."""

"""The bodies of requests, as far as they are read: names, switches, and texts to measure.

What is not named here is skipped, not decoded. Scalars are `Any`: a client may send
anything there, and whoever uses one checks it.
"""

from typing import Any, TypeAlias

import msgspec


class Anything(msgspec.Struct):
    """A JSON object that is there; what is in it is skipped."""


class Inner(msgspec.Struct):
    """A part of a tool's result."""

    type: str | None = None
    text: str | None = None


class Part(msgspec.Struct):
    """A part of a message."""

    type: str | None = None
    text: str | None = None
    content: str | list[Inner] | None = None  # of a tool's result


class Message(msgspec.Struct):
    """A message, or an item of a responses input."""

    type: str | None = None
    role: str | None = None
    content: str | list[Part] | None = None
    output: str | list[Inner] | None = None  # of a function call, in responses


class Format(msgspec.Struct):
    """A form of the answer; chat wraps its schema once more."""

    type: str | None = None
    schema: Any = None
    json_schema: Any = None


class Config(msgspec.Struct):
    """`text` of responses, `output_config` of Anthropic."""

    format: Format | None = None
    effort: Any = None


class Effort(msgspec.Struct):
    """How hard to think."""

    effort: Any = None


class StreamOptions(msgspec.Struct):
    """What a stream should tell besides."""

    include_usage: Any = None


class Metadata(msgspec.Struct):
    """`metadata`, which is the client's own but for this."""

    user_id: Any = None


class ClientMetadata(msgspec.Struct):
    """Codex's `client_metadata`."""

    session_id: Any = None


# Messages, the system prompt that stands outside them, and the form of the answer.
Shape: TypeAlias = tuple[list[Message] | None, str | list[Inner] | None, Format | None]


class Body(msgspec.Struct):
    """What any body may say; scalars are checked where they are used."""

    model: Any = None
    stream: Any = None
    stream_options: StreamOptions | None = None
    service_tier: Any = None
    max_completion_tokens: Any = None
    max_tokens: Any = None
    max_output_tokens: Any = None
    n: Any = None  # answers at once
    best_of: Any = None
    temperature: Any = None
    reasoning_effort: Any = None
    reasoning: Effort | None = None
    tools: list[Anything] | None = None
    functions: list[Anything] | None = None
    output_config: Config | None = None  # Anthropic's
    user: Any = None
    safety_identifier: Any = None
    metadata: Metadata | None = None
    client_metadata: ClientMetadata | None = None
    conversation: Any = None  # of responses

    def shape(self) -> Shape:
        """Its messages, where it has some, and what else an answer goes by."""
        return None, None, None


class ChatBody(Body):
    """/v1/chat/completions."""

    messages: list[Message] | None = None
    response_format: Format | None = None

    def shape(self) -> Shape:
        return self.messages, None, self.response_format


class MessagesBody(Body):
    """/v1/messages."""

    messages: list[Message] | None = None
    system: str | list[Inner] | None = None
    output_format: Format | None = None

    def shape(self) -> Shape:
        form = self.output_config.format if self.output_config else None
        return self.messages, self.system, form or self.output_format


class ResponsesBody(Body):
    """/v1/responses."""

    input: str | list[Message] | None = None
    instructions: str | None = None
    text: Config | None = None

    def shape(self) -> Shape:
        turns = self.input
        if isinstance(turns, str):
            turns = [Message(role="user", content=turns)]
        return turns, self.instructions, self.text.format if self.text else None


class TextsBody(Body):
    """/v1/completions, /v1/embeddings, and what makes images and speech."""

    prompt: Any = None  # completions, images
    input: Any = None  # embeddings, speech

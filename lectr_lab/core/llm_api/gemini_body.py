"""The bodies of Gemini's own API, put into the shape that the others have.

Facts, from its reference (https://ai.google.dev/api, read 2026-11-30): names are written
`inlineData`, and are taken as `inline_data` too, which its examples have; a turn without
a role is the user's; a picture, a sound and a document are one kind of part, told apart
by their MIME type. An effort is a level, or a budget of thoughts, of which 0 is none.
"""

from typing import Any

import msgspec

from lectr_lab.core.llm_api.request_body import (
    Anything,
    Body,
    Format,
    Inner,
    Message,
    Part,
    Shape,
    TextsBody,
)

_SILENT = Message(role="user")  # one for all: a hostile body has 80,000 of them
_KINDS = {"image": "image", "video": "image", "audio": "audio", "text": None}


class Blob(msgspec.Struct):
    """`inlineData` or `fileData`: what stands in it is skipped."""

    mime_type: str | None = None
    mimeType: str | None = None

    def kind(self) -> str | None:
        """The kind of part that the other APIs call it."""
        family = (self.mimeType or self.mime_type or "").partition("/")[0].lower()
        return _KINDS.get(family, "file")


class FunctionResponse(msgspec.Struct):
    """What a tool said."""

    response: Any = None


class GeminiPart(msgspec.Struct):
    """A part of a turn."""

    text: str | None = None
    inline_data: Blob | None = None
    inlineData: Blob | None = None
    file_data: Blob | None = None
    fileData: Blob | None = None
    function_response: FunctionResponse | None = None
    functionResponse: FunctionResponse | None = None

    def part(self) -> Part:
        """The same as a part of the other APIs."""
        blob = self.inlineData or self.fileData or self.inline_data or self.file_data
        said = self.functionResponse or self.function_response
        if said is not None:
            texts = [Inner(text=text) for text in _texts(said.response)]
            return Part(type="tool_result", content=texts)
        return Part(type=blob.kind() if blob else "text", text=self.text)


class Content(msgspec.Struct):
    """A turn, or the system's instruction."""

    role: str | None = None
    parts: list[GeminiPart] | None = None

    def message(self) -> Message:
        """The same as a message of the other APIs."""
        if not self.parts:
            return _SILENT if self.role is None else Message(role=self.role)
        parts = [part.part() for part in self.parts]
        return Message(role=self.role or "user", content=parts)


class Thinking(msgspec.Struct):
    """`thinkingConfig`."""

    thinking_level: Any = None
    thinkingLevel: Any = None
    thinking_budget: Any = None
    thinkingBudget: Any = None

    def effort(self) -> str | None:
        """How hard to think, as the others say it; a budget of tokens is no word."""
        level = self.thinkingLevel or self.thinking_level
        if isinstance(level, str):
            return level.lower()
        return "none" if 0 in (self.thinkingBudget, self.thinking_budget) else None


class Generation(msgspec.Struct):
    """`generationConfig`."""

    temperature: Any = None
    max_output_tokens: Any = None
    maxOutputTokens: Any = None
    candidate_count: Any = None
    candidateCount: Any = None
    response_mime_type: str | None = None
    responseMimeType: str | None = None
    response_schema: Any = None
    responseSchema: Any = None
    response_json_schema: Any = None
    responseJsonSchema: Any = None
    thinking_config: Thinking | None = None
    thinkingConfig: Thinking | None = None

    def form(self) -> Format | None:
        """The form of the answer, as the others say it."""
        schema = self.responseSchema or self.responseJsonSchema
        schema = schema or self.response_schema or self.response_json_schema
        if schema is not None:
            return Format(type="json_schema", schema=schema)
        mime_type = self.responseMimeType or self.response_mime_type
        kind = {"application/json": "json_object", "text/plain": "text"}
        return Format(type=kind.get(mime_type or ""))


class GeminiBody(Body):
    """`generateContent` and `streamGenerateContent`."""

    contents: list[Content] | None = None
    system_instruction: Content | None = None
    systemInstruction: Content | None = None
    generation_config: Generation | None = None
    generationConfig: Generation | None = None
    serviceTier: Any = None

    def __post_init__(self) -> None:
        # What stands in the configuration stands where the others have it.
        config = self._config()
        self.temperature = config.temperature
        self.max_output_tokens = config.maxOutputTokens or config.max_output_tokens
        self.n = config.candidateCount or config.candidate_count
        thinking = config.thinkingConfig or config.thinking_config
        self.reasoning_effort = thinking.effort() if thinking else None
        self.service_tier = self.serviceTier or self.service_tier

    def _config(self) -> Generation:
        return self.generationConfig or self.generation_config or Generation()

    def shape(self) -> Shape:
        turns = self.contents
        messages = None if turns is None else [turn.message() for turn in turns]
        system = self.systemInstruction or self.system_instruction
        parts = system.parts if system else None
        said = None if parts is None else [Inner(text=part.text) for part in parts]
        return messages, said, self._config().form()


class GeminiRequest(msgspec.Struct):
    """`generateContentRequest` of a count, and one of many embeddings."""

    content: Content | None = None
    contents: list[Content] | None = None
    system_instruction: Content | None = None
    systemInstruction: Content | None = None
    tools: list[Anything] | None = None


class CountBody(GeminiBody):
    """Anthropic's `count_tokens` and Gemini's `countTokens`."""

    messages: list[Message] | None = None
    system: str | list[Inner] | None = None
    generate_content_request: GeminiRequest | None = None
    generateContentRequest: GeminiRequest | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        whole = self.generateContentRequest or self.generate_content_request
        if whole is not None:
            self.contents, self.tools = whole.contents, whole.tools
            self.systemInstruction = whole.systemInstruction or whole.system_instruction

    def shape(self) -> Shape:
        if self.messages is not None:
            return self.messages, self.system, None
        return super().shape()


class EmbeddingsBody(TextsBody):
    """/v1/embeddings, `embedContent` and `batchEmbedContents`."""

    content: Content | None = None
    requests: list[GeminiRequest] | None = None

    def __post_init__(self) -> None:
        contents = [self.content, *(each.content for each in self.requests or ())]
        parts = [part for each in contents if each for part in each.parts or ()]
        if parts:
            self.input = [part.text for part in parts if part.text is not None]


def _texts(value: Any) -> list[str]:
    """The texts in a JSON value, in no order."""
    found: list[str] = []
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict | list):
            rest += each.values() if isinstance(each, dict) else each
    return found

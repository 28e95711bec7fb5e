"""A request's body: the model it names and the shape it has, in the event's columns.

Every API's body is read by one shape: the names mean the same wherever they occur.
`read_request` measures texts and keeps none; `read_content` is for whoever judges an
answer. What cannot be read is None.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.event_values import ResponseFormat, TurnKind
from lectr_lab.core.llm_api.body_ids import ids_in
from lectr_lab.core.llm_api.compaction import asks_to_compact
from lectr_lab.core.llm_api.gemini_body import CountBody, EmbeddingsBody, GeminiBody
from lectr_lab.core.llm_api.json_schema import schema_depth
from lectr_lab.core.llm_api.lenient_json import (
    SKIMMED_BYTES,
    count,
    name,
    read,
    read_quickly,
)
from lectr_lab.core.llm_api.multipart import fields_as_json, is_multipart
from lectr_lab.core.llm_api.request_body import (
    Body,
    ChatBody,
    Format,
    Inner,
    Message,
    MessagesBody,
    Part,
    ResponsesBody,
    TextsBody,
)

_BODIES: dict[str, msgspec.json.Decoder[Any]] = {
    "chat": msgspec.json.Decoder(ChatBody),
    "messages": msgspec.json.Decoder(MessagesBody),
    "responses": msgspec.json.Decoder(ResponsesBody),
    "compact": msgspec.json.Decoder(ResponsesBody),
    "completions": msgspec.json.Decoder(TextsBody),
    "embeddings": msgspec.json.Decoder(EmbeddingsBody),
    "generate_content": msgspec.json.Decoder(GeminiBody),
    "images": msgspec.json.Decoder(TextsBody),
    "audio": msgspec.json.Decoder(TextsBody),
    "count_tokens": msgspec.json.Decoder(CountBody),
}
_ANY_BODY = msgspec.json.Decoder(Body)

_CAN_STREAM = frozenset({"chat", "completions", "responses", "messages"})
_ASKS_FOR_USAGE = frozenset({"chat", "completions"})  # the others send it unasked
_SYSTEM_ROLES = frozenset({"system", "developer"})
_FORMATS: dict[str, ResponseFormat] = {
    "text": "text",
    "json_object": "json_object",
    "json_schema": "json_schema",
}
# Documents and files are shown to a model as pages: it needs eyes for them.
_IMAGES = frozenset(
    {"image_url", "input_image", "image", "document", "file", "input_file"}
)
_BOM = b"\xef\xbb\xbf"
_AUDIO = frozenset({"input_audio", "audio"})


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asked for, in the event's columns; None where it did not say.

    `user` and `session` are as the body has them.
    """

    model: str | None = None
    stream: bool | None = None
    include_usage: bool | None = None
    service_tier_requested: str | None = None
    message_count: int | None = None
    prompt_chars: int | None = None
    system_chars: int | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    has_tools: bool | None = None
    has_images: bool | None = None
    has_audio: bool | None = None
    response_format: ResponseFormat | None = None
    schema_depth: int | None = None
    input_characters: int | None = None
    user: str | None = None  # as the body says it: personal, and never logged so
    session: str | None = None  # likewise
    turn_kind: TurnKind | None = None  # compaction, where its text says so
    answers: int = 1  # that it asks for at once, each of max_output_tokens
    facts_truncated: bool = False  # there is more, which was not read


_UNLIMITED = (None, None, None)


class _Names(msgspec.Struct):
    """What a body is sent on by."""

    model: Any = None
    stream: Any = None


_NAMES = msgspec.json.Decoder(_Names)


class RequestContent(NamedTuple):
    """What an answer is judged by. Holds content: never logged."""

    last_user_text: str  # what labels go by; "" where there is no text
    schema: dict[str, Any] | None  # that the answer is to keep to


class _Prompt:
    """What was measured of a prompt."""

    __slots__ = ("chars", "has_audio", "has_images", "messages", "system_chars")

    def __init__(self) -> None:
        self.messages: int | None = None
        self.chars: int | None = None
        self.system_chars: int | None = None
        self.has_images: bool | None = None
        self.has_audio: bool | None = None


def read_request(
    body: bytes, operation: str, *, quickly: bool = False
) -> RequestFacts | None:
    """Read what a request asks for.

    Args:
        body: the bytes as received: JSON, a form with files, or anything else.
        operation: as in the event; of one that is not known only the general is read.
        quickly: within milliseconds, or not at all.

    Returns:
        None where the body is no JSON object. Of a key given twice the last counts, as
        providers' parsers have it; a field of a wrong type is None.

    Raises:
        Unread: it cannot be read quickly, and that was asked for.

    >>> body = b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'
    >>> facts = read_request(body, "chat")
    >>> facts.model, facts.stream, facts.prompt_chars
    ('m', False, 2)
    """
    parsed = _parsed(body, operation, read_quickly if quickly else read)
    if parsed is None:
        return None
    stream = _stream(parsed.stream) if operation in _CAN_STREAM else None
    messages, system, form = parsed.shape()
    prompt, ids = _prompt(parsed, messages, system), ids_in(parsed)
    return RequestFacts(
        model=_model(parsed.model),
        stream=stream,
        include_usage=_include_usage(parsed, operation) if stream else None,
        service_tier_requested=name(parsed.service_tier),
        message_count=prompt.messages,
        prompt_chars=prompt.chars,
        system_chars=prompt.system_chars,
        max_output_tokens=_max_output_tokens(parsed),
        temperature=_temperature(parsed.temperature),
        reasoning_effort=_effort(parsed),
        has_tools=_has_tools(parsed),
        has_images=prompt.has_images,
        has_audio=prompt.has_audio,
        response_format=_FORMATS.get(form.type or "") if form else None,
        schema_depth=schema_depth(_schema(form)) if form else None,
        input_characters=prompt.chars if operation == "audio" else None,
        user=ids.user,
        session=ids.session,
        turn_kind=_turn_kind(operation, messages),
        answers=_answers(parsed),
    )


def read_names(
    body: bytes, operation: str, *, quickly: bool = False
) -> RequestFacts | None:
    """Read what a request is sent on by, and no more: its model, whether it streams.

    All else is skipped: 31 MB of text take 5 ms, of empty lists 54 ms.

    Raises:
        Unread: as in `read_request`.

    >>> read_names(b'{"model": "m", "messages": [{}]}', "chat").message_count is None
    True
    """
    data = _json(body)
    parsed = (
        read_quickly(_NAMES, data, SKIMMED_BYTES) if quickly else read(_NAMES, data)
    )
    if parsed is None:
        return None
    stream = _stream(parsed.stream) if operation in _CAN_STREAM else None
    return RequestFacts(model=_model(parsed.model), stream=stream, facts_truncated=True)


def read_content(body: bytes, operation: str) -> RequestContent:
    """Read what the user wrote last, and the schema wanted. Never raises.

    >>> body = b'{"messages": [{"role": "user", "content": "Hi"}]}'
    >>> read_content(body, "chat")
    RequestContent(last_user_text='Hi', schema=None)
    """
    parsed = _parsed(body, operation, read)
    if parsed is None:
        return RequestContent("", None)
    messages, _, form = parsed.shape()
    schema = _schema(form) if form else None
    return RequestContent(
        _last_user_text(parsed, messages or []),
        schema if isinstance(schema, dict) else None,
    )


def _parsed(
    body: bytes, operation: str, reading: Callable[[Any, bytes], Any]
) -> Body | None:
    data = body if body.startswith(b"{") else _json(body)
    parsed: Body | None = reading(_BODIES.get(operation, _ANY_BODY), data)
    return parsed


def _json(body: bytes) -> bytes:
    """A form's small fields are read as if they had been JSON."""
    return fields_as_json(body) if is_multipart(body) else body.removeprefix(_BOM)


def _model(model: Any) -> str | None:
    if not isinstance(model, str) or not model.strip():
        return None
    # JSON may hold half a surrogate pair, which no file or URL can.
    return model.encode("utf-8", "replace").decode()


def _stream(stream: Any) -> bool:
    """Some servers take a 1 or a text for yes, and then it is a stream to be counted."""
    return bool(stream)


def _include_usage(parsed: Body, operation: str) -> bool | None:
    if operation not in _ASKS_FOR_USAGE:
        return None
    options = parsed.stream_options
    return options is not None and options.include_usage is True


def _max_output_tokens(parsed: Body) -> int | None:
    limits = (parsed.max_completion_tokens, parsed.max_tokens, parsed.max_output_tokens)
    if limits == _UNLIMITED:
        return None
    return next((n for n in map(count, limits) if n is not None), None)


def _answers(parsed: Body) -> int:
    if parsed.n is None and parsed.best_of is None:
        return 1  # nearly every request
    return max(count(parsed.n) or 1, count(parsed.best_of) or 1)


def _temperature(value: Any) -> float | None:
    # Compared, not converted: NaN and what is too large for a float fall out.
    fits = type(value) in (int, float) and abs(value) < 1e6
    return float(value) if fits else None


def _effort(parsed: Body) -> str | None:
    nested = parsed.reasoning or parsed.output_config
    if nested is None and parsed.reasoning_effort is None:
        return None  # nearly every request
    return name(parsed.reasoning_effort) or name(nested.effort if nested else None)


def _has_tools(parsed: Body) -> bool | None:
    return (
        None
        if isinstance(parsed, TextsBody)
        else bool(parsed.tools or parsed.functions)
    )


def _schema(form: Format) -> Any:
    wrapped = form.json_schema
    inner = wrapped.get("schema") if isinstance(wrapped, dict) else None
    return form.schema or inner


def _prompt(
    parsed: Body, messages: list[Message] | None, system: str | list[Inner] | None
) -> _Prompt:
    prompt = _Prompt()
    if messages is not None:
        _measure(prompt, messages)
    elif isinstance(parsed, TextsBody):
        prompt.chars = _chars_of_texts(parsed.prompt or parsed.input)
    if system is not None:
        _add_system(prompt, system)
    return prompt


def _turn_kind(operation: str, messages: list[Message] | None) -> TurnKind | None:
    """Told by the text alone, of the API of those who do so."""
    if operation != "messages" or not messages:
        return None
    return "compaction" if asks_to_compact(messages) else None


def _last_user_text(parsed: Body, messages: list[Message]) -> str:
    written = [message.content for message in messages if message.role == "user"]
    content = written[-1] if written else None
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text is not None)
    if isinstance(parsed, TextsBody) and isinstance(parsed.prompt, str):
        return parsed.prompt
    return content or ""


def _measure(prompt: _Prompt, messages: list[Message]) -> None:
    chars = system_chars = 0
    kinds: set[str | None] = set()
    for message in messages:
        message_chars = _chars(message.content, kinds)
        if message.output is not None:
            message_chars += _chars(message.output, kinds)
        chars += message_chars
        if message.role in _SYSTEM_ROLES:
            system_chars += message_chars
    prompt.messages = len(messages)
    prompt.chars, prompt.system_chars = chars, system_chars
    prompt.has_images = not kinds.isdisjoint(_IMAGES)
    prompt.has_audio = not kinds.isdisjoint(_AUDIO)


def _add_system(prompt: _Prompt, system: str | list[Inner]) -> None:
    chars = _chars(system, set())
    prompt.chars = (prompt.chars or 0) + chars
    prompt.system_chars = (prompt.system_chars or 0) + chars


def _chars(content: Any, kinds: set[str | None]) -> int:
    """Characters of a text, or of a list of parts, whose kinds are noted."""
    if content is None or isinstance(content, str):
        return len(content or "")
    chars = 0
    for part in content:
        kinds.add(part.type)
        chars += len(part.text or "")
        if isinstance(part, Part) and part.content is not None:
            chars += _chars(part.content, kinds)
    return chars


def _chars_of_texts(texts: Any) -> int | None:
    """Characters of a text or of several; of token numbers they are not known."""
    if isinstance(texts, str):
        return len(texts)
    if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
        return sum(map(len, texts))
    return None

"""What a reply says: its text, or the tools that it calls.

`reply.ReplyReader` measures every reply and keeps none. This reads one that is to be
compared, from a recording or, where the operator asked for it, from memory.
"""

from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.llm_api.content_encoding import BodyDecoder
from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.core.llm_api.sse import documents


class AnswerText(NamedTuple):
    """One answer. `text` is what `agreement` compares; tool calls stand there as JSON.

    `whole` is false where the answer was cut: by its limit of tokens, or on its way.
    """

    text: str
    whole: bool


class _Parts:
    """The pieces of one answer, in order."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: dict[object, dict[str, Any]] = {}  # by place in the reply
        self.reason: object = None
        self.failed = False

    def write(self, text: Any) -> None:
        if isinstance(text, str):
            self.texts.append(text)

    def call(self, place: object, name: Any = None, arguments: Any = None) -> None:
        """A tool call, or one more piece of its arguments."""
        call = self.calls.setdefault(place, {"name": "", "pieces": []})
        call["name"] = call["name"] or (name if isinstance(name, str) else "")
        if isinstance(arguments, str):
            call["pieces"].append(arguments)
        elif arguments:  # Anthropic's, as JSON
            call["pieces"].append(msgspec.json.encode(arguments).decode())


def read_answer(
    operation: str, status: int, content_encoding: str, body: bytes
) -> AnswerText | None:
    """Read the first choice of a whole reply or stream. Never raises.

    Args:
        operation: as in the event.
        status: HTTP status.
        content_encoding: the header's value.
        body: every byte of the reply's body, as the provider sent it.

    Returns:
        None where it is an error, no answer of this operation, or unreadable.

    >>> body = b'{"choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}]}'
    >>> read_answer("chat", 200, "", body)
    AnswerText(text='Yes', whole=True)
    """
    take = _TAKERS.get(operation)
    if take is None or not 200 <= status < 300:
        return None
    parts = _Parts()
    try:
        for document in documents(BodyDecoder(content_encoding).feed(body)):
            value = loads(document)
            if isinstance(value, dict):
                take(parts, value)
    except (TypeError, AttributeError, ValueError, RecursionError):
        return None  # not of a form that anyone documents
    if parts.failed or not (parts.texts or parts.calls):
        return None
    return AnswerText(_text(parts), parts.reason in _WHOLE)


# Why an answer that is whole ended; `length`, `max_tokens` and none at all cut it.
_WHOLE = {"stop", "end_turn", "stop_sequence", "tool_calls", "tool_use", "completed"}
_WHOLE |= {"function_call"}


def _text(parts: _Parts) -> str:
    if not parts.calls:
        return "".join(parts.texts)
    calls = [
        {"name": call["name"], "arguments": "".join(call["pieces"])}
        for call in parts.calls.values()
    ]
    return msgspec.json.encode({"tool_calls": calls}).decode()


def _take_chat(parts: _Parts, value: dict[str, Any]) -> None:
    parts.failed = parts.failed or bool(value.get("error"))
    for place, choice in enumerate(value.get("choices") or ()):
        if choice.get("index", place) != 0:
            continue
        parts.reason = choice.get("finish_reason") or parts.reason
        parts.write(choice.get("text"))
        message = choice.get("message") or choice.get("delta") or {}
        content = message.get("content")
        for piece in content if isinstance(content, list) else ():
            parts.write(piece.get("text"))
        parts.write(content)
        parts.write(message.get("refusal"))
        for at, call in enumerate(message.get("tool_calls") or ()):
            made = call.get("function") or call.get("custom") or {}
            written = made.get("arguments", made.get("input"))
            parts.call(call.get("index", at), made.get("name"), written)
        if message.get("function_call"):
            made = message["function_call"]
            parts.call(None, made.get("name"), made.get("arguments"))


def _take_messages(parts: _Parts, value: dict[str, Any]) -> None:
    kind, place = value.get("type"), value.get("index")
    if kind == "error" or value.get("error"):
        parts.failed = True
    elif kind == "content_block_start":
        _take_block(parts, place, value.get("content_block") or {})
    elif kind == "content_block_delta":
        delta = value.get("delta") or {}
        parts.write(delta.get("text"))
        # The input of a server's tool comes as deltas, too: no call of the client's.
        if delta.get("type") == "input_json_delta" and place in parts.calls:
            parts.call(place, None, delta.get("partial_json"))
    elif kind == "message_delta":
        parts.reason = (value.get("delta") or {}).get("stop_reason") or parts.reason
    else:
        message = value.get("message") or value
        parts.reason = message.get("stop_reason") or parts.reason
        for at, block in enumerate(message.get("content") or ()):
            _take_block(parts, at, block)


def _take_block(parts: _Parts, place: object, block: dict[str, Any]) -> None:
    if block.get("type") == "tool_use":
        parts.call(place, block.get("name"), block.get("input"))
    else:
        parts.write(block.get("text"))


def _take_responses(parts: _Parts, value: dict[str, Any]) -> None:
    """A stream's last event repeats the whole response: that alone is read."""
    kind = value.get("type") or ""
    if kind == "error" or kind == "response.failed":
        parts.failed = True
    if kind.startswith("response.") and kind not in _LAST:
        return
    response = value.get("response") or value
    parts.failed = parts.failed or bool(response.get("error"))
    parts.reason = response.get("status")
    for at, item in enumerate(response.get("output") or ()):
        if item.get("type") in ("function_call", "custom_tool_call"):
            parts.call(at, item.get("name"), item.get("arguments", item.get("input")))
        elif item.get("type") == "message":
            for piece in item.get("content") or ():
                parts.write(piece.get("text"))
                parts.write(piece.get("refusal"))


_LAST = ("response.completed", "response.incomplete")
_TAKERS = {
    "chat": _take_chat,
    "completions": _take_chat,
    "messages": _take_messages,
    "responses": _take_responses,
}

"""The text of a reply that was kept whole, for a comparison in memory.

The log's readers measure texts and let them go; this is the one place that puts one
together, for requests of which an operator asked for a shadow.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lectr_lab.core.decode import BodyDecoder
from lectr_lab.core.dialect_chat import CHAT, ChatReply, Choice
from lectr_lab.core.dialect_chat import Message as ChatMessage
from lectr_lab.core.dialect_messages import MESSAGES, MessagesReply
from lectr_lab.core.lenient import read
from lectr_lab.core.sse import EventSplitter

MAX_CHARS = 64 * 1024
"""A longer answer is not compared."""

OPERATIONS = frozenset({"chat", "completions", "messages"})
"""Those whose answers are read here."""

_LEAD = b" \t\r\n\xef\xbb\xbf"


class _Piece(NamedTuple):
    """Some of the answer; `called` where a tool is, which is no text."""

    text: str = ""
    called: bool = False


def answer_text(
    operation: str, content_encoding: str, chunks: Iterable[bytes]
) -> str | None:
    """What a reply's first choice says, reasoning left out.

    Args:
        operation: as in the event, one of OPERATIONS.
        content_encoding: the reply's header, empty where it has none.
        chunks: the body as it came, a stream or not, cut anywhere.

    Returns:
        None where there is no text to compare: a tool is called, the body cannot be
        read, or the text is longer than MAX_CHARS.

    >>> answer_text("chat", "", [b'{"choices": [{"message": {"content": "Hi"}}]}'])
    'Hi'
    """
    decoder = BodyDecoder(content_encoding)
    body = b"".join([decoder.feed(chunk) for chunk in chunks]).lstrip(_LEAD)
    if decoder.gave_up or operation not in OPERATIONS or not body:
        return None
    pieces = [
        piece
        for data in _documents(body)
        for piece in (_messages if operation == "messages" else _chat)(data)
    ]
    text = "".join([piece.text for piece in pieces])
    called = not pieces or any(piece.called for piece in pieces)
    return None if called or len(text) > MAX_CHARS else text


def _documents(body: bytes) -> list[bytes]:
    """The body, or the data of each of its events."""
    if body.startswith(b"{"):
        return [body]
    splitter = EventSplitter()
    events = splitter.feed(body) + splitter.flush()
    return [data for _, data in events if data.startswith(b"{")]


def _chat(data: bytes) -> Iterator[_Piece]:
    reply = read(CHAT.decoder, data) or ChatReply()
    for place, choice in enumerate(reply.choices or ()):
        if (place if choice.index is None else choice.index) == 0:
            yield _of_choice(choice)


def _of_choice(choice: Choice) -> _Piece:
    said = choice.delta or choice.message or ChatMessage()
    content = said.content or said.refusal or ""
    if not isinstance(content, str):
        content = "".join([part.text or part.refusal or "" for part in content])
    called = bool(said.tool_calls or said.function_call or said.audio)
    return _Piece((choice.text or "") + content, called)


def _messages(data: bytes) -> Iterator[_Piece]:
    reply = read(MESSAGES.decoder, data) or MessagesReply()
    message = reply.message or reply
    for block in (*(message.content or ()), reply.content_block, reply.delta):
        if block is not None:
            called = (block.type or "").endswith("tool_use")
            yield _Piece(block.text or "", called)

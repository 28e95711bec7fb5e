"""What a worker can be asked, and how it is told: over a socket that has no name.

What may be large travels beside the job, as it lies in memory: nothing is copied or
encoded where requests are served. The worker forgets it, and prints nothing.
"""

import socket
import struct
from functools import cache
from typing import Any, TypeAlias

import msgspec

from lectr_lab.core.llm_api.content_encoding import whole_body
from lectr_lab.core.llm_api.reply import ReplyFacts, UnreadReply, read_rest
from lectr_lab.core.llm_api.request import RequestFacts, read_names, read_request
from lectr_lab.core.llm_api.splice import Place, model_place
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.prompt import Prompt
from lectr_lab.core.prefix.rules import rule_of

_LENGTH = struct.Struct(">Q")
_READ_BYTES = 1024 * 1024
_MOST_PIECES = 512  # in one call: systems take 1,024

NamesAnswer: TypeAlias = tuple[RequestFacts | None, Place | None]
RequestAnswer: TypeAlias = tuple[RequestFacts | None]  # None: no JSON object
ReplyAnswer: TypeAlias = tuple[ReplyFacts, bool]  # and whether it said that it was over
PromptAnswer: TypeAlias = tuple[Prompt | None]
TokensAnswer: TypeAlias = tuple[int, int] | None  # in and out


class CountTokens(msgspec.Struct, frozen=True, tag=True):
    """Of a stream, whose request's body and chunks are beside it."""

    encoding: str
    operation: str
    content_encoding: str

    def answer(self, texts: list[bytes]) -> TokensAnswer:
        """The tokens, or None where nobody can tell."""
        # The counting of tokens is an extra, and the rest does without it.
        from lectr_lab.proxy.worker.token_counts import counts_of

        body, *chunks = texts
        return counts_of(
            self.encoding, self.operation, self.content_encoding, body, chunks
        )


class ReadNames(msgspec.Struct, frozen=True, tag=True):
    """What a request is sent on by, out of its body."""

    operation: str
    content_encoding: str = ""

    def answer(self, texts: list[bytes]) -> NamesAnswer:
        """The names, and where the model's is written, if that can be changed."""
        body = whole_body(texts[0], self.content_encoding)
        names = None if body is None else read_names(body, self.operation)
        if names is None or names.model is None or self.content_encoding:
            return names, None
        return names, model_place(texts[0], names.model)


class ReadRequest(msgspec.Struct, frozen=True, tag=True):
    """All facts of a request, out of its body."""

    operation: str
    content_encoding: str = ""

    def answer(self, texts: list[bytes]) -> RequestAnswer:
        """The facts."""
        body = whole_body(texts[0], self.content_encoding)
        return (None if body is None else read_request(body, self.operation),)


class ReadReply(msgspec.Struct, frozen=True, tag=True):
    """The end of a reply, out of its data."""

    unread: UnreadReply

    def answer(self, texts: list[bytes]) -> ReplyAnswer:
        """The facts of the whole reply."""
        return read_rest(self.unread, texts)


class ReadPrompt(msgspec.Struct, frozen=True, tag=True):
    """The joints of a request's prompt, out of its body."""

    provider: str
    model: str | None
    content_encoding: str
    key: bytes  # of the digests
    has_media: bool

    def answer(self, texts: list[bytes]) -> PromptAnswer:
        """The joints; None where there are none to be compared."""
        body = whole_body(texts[0], self.content_encoding)
        if body is None:
            return (None,)
        rule = rule_of(self.provider, self.model)
        return (read_prompt(body, rule, self.key, has_media=self.has_media),)


Job: TypeAlias = ReadPrompt | CountTokens | ReadNames | ReadRequest | ReadReply


class Told(msgspec.Struct, frozen=True):
    """A job, and how long what comes behind it is, piece by piece."""

    job: Job
    sizes: list[int]


_DECODE_TOLD = msgspec.msgpack.Decoder(Told).decode
_ENCODE = msgspec.msgpack.Encoder().encode


def send_job(sock: socket.socket, job: Job, texts: list[bytes]) -> None:
    """Tell a job, in as few calls as it takes. Raises OSError."""
    told = _ENCODE(Told(job, [len(text) for text in texts]))
    _send_all(sock, [_LENGTH.pack(len(told)), told, *texts])


def answer_job(sock: socket.socket) -> bool:
    """Answer the next job, with nothing where that fails; False: there is none."""
    head = receive(sock)
    if head is None:
        return False
    told = _DECODE_TOLD(head)
    texts = [_received(sock, size) for size in told.sizes]
    try:
        answer = _ENCODE(told.job.answer([text or b"" for text in texts]))
    except Exception:  # noqa: BLE001 - what it says could hold a text
        answer = b""
    send(sock, answer)
    return True


def send(sock: socket.socket, data: bytes) -> None:
    """Send bytes, and before them how many. Raises OSError."""
    _send_all(sock, [_LENGTH.pack(len(data)), data])


def _send_all(sock: socket.socket, pieces: list[bytes]) -> None:
    """Send pieces one after another. Nothing is copied: they may be large."""
    for at in range(0, len(pieces), _MOST_PIECES):
        some = pieces[at : at + _MOST_PIECES]
        sent = sock.sendmsg(some)
        for piece in some:
            if sent < len(piece):  # it takes no more at once
                sock.sendall(memoryview(piece)[sent:])
            sent = max(sent - len(piece), 0)


def receive(sock: socket.socket) -> bytes | None:
    """What `send` sent; None where the other end is gone. Raises OSError."""
    length = _received(sock, _LENGTH.size)
    return None if length is None else _received(sock, *_LENGTH.unpack(length))


def decoded(answer: bytes, kind: Any) -> Any:
    """An answer, as it was given."""
    return _decoder(kind).decode(answer)


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """To make one takes longer than to use it."""
    return msgspec.msgpack.Decoder(kind)


def _received(sock: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        count = sock.recv_into(view[at:], min(size - at, _READ_BYTES))
        if not count:
            return None
        at += count
    return bytes(data)

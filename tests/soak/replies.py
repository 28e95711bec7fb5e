"""What is asked and what is answered, told by a request's number alone.

Both ends know it: the provider says it, and the client compares it to the byte. So no
reply can be another's, cut or changed, and nobody see it.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Literal, NamedTuple

import brotli
import zstandard

MARK = "c4nAry9b1f"
PROVIDER_KEY = f"sk-{MARK}-provider"
MAX_BODY_BYTES = 8_000_000  # as the proxies are told

Headers = tuple[tuple[str, str], ...]
JSON: Headers = (("content-type", "application/json"),)
SSE: Headers = (("content-type", "text/event-stream"),)


class Kind(NamedTuple):
    """A kind of request, and what must be said of it.

    `outcome` None: no event, for nobody knows whose it was. `own`: the proxy answers
    in its own words. `tokens`: the row has those of `tokens_of`.
    """

    weight: int
    status: int = 200
    outcome: str | None = "ok"
    own: bool = False
    tokens: bool = True
    stream: bool = False


KINDS = {
    "json": Kind(24),
    "stream": Kind(24, stream=True),
    "silent stream": Kind(4, tokens=False, stream=True),
    "packed": Kind(8),
    "packed stream": Kind(8, stream=True),
    "big body": Kind(3),
    "big reply": Kind(3),
    "models": Kind(4, tokens=False),
    "error": Kind(4, 500, "provider_error", tokens=False),
    "busy": Kind(3, 429, "provider_error", tokens=False),
    "cut": Kind(4, 200, "upstream_disconnect", tokens=False),
    "hang up": Kind(3, 503, "upstream_disconnect", own=True, tokens=False),
    "unreachable": Kind(2, 503, "unreachable", own=True, tokens=False),
    "no provider key": Kind(2, 401, "refused", own=True, tokens=False),
    "too large": Kind(2, 413, "refused", own=True, tokens=False),
    "wrong key": Kind(3, 401, None, own=True, tokens=False),
    "never": Kind(0, tokens=False),  # the provider is silent: for clients that give up
}


class Reply(NamedTuple):
    """What the provider says, and how: in pieces, a pause between two of them."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: Headers = JSON
    framing: Literal["length", "chunked", "close"] = "length"
    pause_s: float = 0.0
    ends: Literal["whole", "cut", "at once", "never"] = "whole"

    @property
    def body(self) -> bytes:
        """What a client gets of it, if all is well."""
        return b"".join(self.pieces)


def tokens_of(n: int) -> tuple[int, int]:
    """Input and output: such that neighbours differ."""
    return 1 + n * 31 % 9973, 1 + n * 7 % 977


def reply(kind: str, n: int) -> Reply:
    """The provider's reply to request `n`."""
    return _SAID[kind](n)


def request(kind: str, n: int, lectr_key: str, port: int) -> bytes:
    """Head and body, as they go out; of what is too large, the head alone."""
    head = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Accept-Encoding": "gzip, br, zstd",
        "X-Lectr-Key": lectr_key + "x" * (kind == "wrong key"),
        "X-Lectr-Feature": feature(n),
        "Authorization": f"Bearer {PROVIDER_KEY}",
    }
    if kind == "no provider key":
        del head["Authorization"]
    if kind == "models":
        return _head("GET", f"/v1/models?kind={kind}&n={n}", head)
    body = _asked(kind, n)
    size = MAX_BODY_BYTES * 2 if kind == "too large" else len(body)
    head["Content-Length"] = str(size)
    sent = _head("POST", "/v1/chat/completions", head)
    return sent if kind == "too large" else sent + body


def feature(n: int) -> str:
    """What the row of request `n` is called."""
    return f"soak-{n}"


def _asked(kind: str, n: int) -> bytes:
    size = (1 + n % 3) * 1_000_000 if kind == "big body" else 40 * (n % 50)
    prompt = f"{MARK} says what nobody may keep. " + "word " * (size // 5)
    body: dict[str, object] = {
        "model": "llama-3.1-8b-instant" if kind == "unreachable" else "gpt-4o-mini",
        "messages": [{"role": "user", "content": prompt}],
        "metadata": {"kind": kind, "n": str(n)},
    }
    if KINDS[kind].stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(body).encode()


def _head(method: str, target: str, fields: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


def _chat(n: int, words: int = 30) -> bytes:
    prompt, completion = tokens_of(n)
    message = {"role": "assistant", "content": f"{MARK}-{n} " + "and so on, " * words}
    return json.dumps(
        {
            "id": f"chatcmpl-{n}",
            "object": "chat.completion",
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": completion},
        }
    ).encode()


def _events(n: int, *, usage: bool = True) -> tuple[bytes, ...]:
    """A stream, each event of which says whose it is."""
    base = {"id": f"chatcmpl-{n}", "model": "gpt-4o-mini-2024-07-18"}
    chunks: list[dict[str, object]] = [
        {"choices": [{"index": 0, "delta": {"content": f"{MARK} {n}.{i} "}}]}
        for i in range(3 + n % 20)
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        said = dict(
            zip(("prompt_tokens", "completion_tokens"), tokens_of(n), strict=True)
        )
        chunks.append({"choices": [], "usage": said})
    lines = [b"data: %b\n\n" % json.dumps(base | chunk).encode() for chunk in chunks]
    return (*lines, b"data: [DONE]\n\n")


def _stream(n: int, *, usage: bool = True) -> Reply:
    framing: Literal["chunked", "close"] = "close" if n % 5 == 0 else "chunked"
    pieces = _events(n, usage=usage)
    return Reply(pieces, headers=SSE, framing=framing, pause_s=n % 8 * 0.01)


def _packed(n: int) -> Reply:
    name, pack = _PACKED[n % len(_PACKED)]
    return Reply((pack(_chat(n)),), headers=(*JSON, ("content-encoding", name)))


_PACKED: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("gzip", lambda data: gzip.compress(data, mtime=0)),  # the same at any time
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
)


def _packed_stream(n: int) -> Reply:
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(e) + packer.flush(zlib.Z_SYNC_FLUSH) for e in _events(n)]
    headers = (*SSE, ("content-encoding", "gzip"))
    return Reply((*pieces, packer.flush()), 200, headers, "chunked", n % 8 * 0.01)


def _failed(n: int, status: int) -> Reply:
    error = {"message": f"{MARK}-{n}", "type": "server_error", "code": None}
    return Reply((json.dumps({"error": error}).encode(),), status)


def _cut(n: int) -> Reply:
    """Half of a JSON body whose length was said, or half of a stream."""
    if n % 2:
        body = _chat(n)
        return Reply((body[: len(body) // 2],), ends="cut")
    return Reply(_events(n)[:2], headers=SSE, framing="chunked", ends="cut")


def _models(n: int) -> Reply:
    return Reply((json.dumps({"object": "list", "data": [{"id": n}]}).encode(),))


_SAID: dict[str, Callable[[int], Reply]] = {
    "json": lambda n: Reply((_chat(n),)),
    "stream": _stream,
    "silent stream": lambda n: _stream(n, usage=False),
    "packed": _packed,
    "packed stream": _packed_stream,
    "big body": lambda n: Reply((_chat(n),)),
    "big reply": lambda n: Reply((_chat(n, 20_000 * (1 + n % 8)),)),
    "models": _models,
    "error": lambda n: _failed(n, 500),
    "busy": lambda n: _failed(n, 429),
    "cut": _cut,
    "hang up": lambda n: Reply(ends="at once"),
    "never": lambda n: Reply(ends="never"),
}

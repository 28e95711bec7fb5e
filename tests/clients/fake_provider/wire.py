"""What is asked and what is answered, without sockets."""

import gzip
import json
import zlib
from typing import Any, NamedTuple

import brotli
import zstandard

from clients.fake_provider.steering import Steering, steering


class Seen(NamedTuple):
    """One request as it arrived, and the status that it got."""

    vendor: str  # the first segment of the path: who was asked
    method: str
    path: str  # the rest, with its query, as sent
    headers: list[tuple[str, str]]  # names as sent
    body: bytes  # as sent
    status: int = 0

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((v for n, v in self.headers if n.lower() == name), None)

    @property
    def is_declined(self) -> bool:
        """The proxy answers this itself: a WebSocket's offer, a HEAD of its root."""
        return self.header("upgrade") is not None or self.method == "HEAD"

    @property
    def plain(self) -> bytes:
        """The body without its content encodings."""
        return decoded(self.header("content-encoding") or "", self.body)

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; an empty one where there is none."""
        found = json.loads(self.plain) if self.plain else {}
        return found if isinstance(found, dict) else {}

    @property
    def resource(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


class Asked(NamedTuple):
    """A request that is to be answered."""

    seen: Seen
    body: dict[str, Any]
    steering: Steering
    number: int
    counts: dict[str, int] | None = None  # where they follow the prompt

    @property
    def streams(self) -> bool:
        """A stream is asked for."""
        return bool(self.body.get("stream"))


class Answer(NamedTuple):
    """A reply: several pieces are a stream, sent in chunks."""

    pieces: list[bytes]
    headers: dict[str, str]
    status: int = 200
    after: int = 0  # not before so many requests have been asked


def asked(seen: Seen, number: int) -> Asked:
    """A request read as the vendors do.

    Raises:
        ValueError: the body is no JSON.
    """
    body = seen.json if "json" in (seen.header("content-type") or "") else {}
    return Asked(seen, body, steering(body), number)


def whole(
    body: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    """A reply of one JSON document."""
    kind = {"content-type": "application/json"}
    return Answer([_json(body)], kind | (headers or {}), status)


def sse(
    events: list[dict[str, Any]],
    headers: dict[str, str],
    *,
    named: bool,
    done: bool = False,
) -> Answer:
    """A stream of server-sent events; `named` writes each one's type before it."""
    pieces = []
    for event in events:
        name = b"event: %s\n" % event["type"].encode() if named else b""
        pieces.append(name + b"data: " + _json(event) + b"\n\n")
    if done:
        pieces.append(b"data: [DONE]\n\n")
    return Answer(pieces, {"content-type": "text/event-stream"} | headers)


def decoded(encodings: str, body: bytes) -> bytes:
    """A body without its content encodings, the last applied first."""
    for encoding in reversed([e.strip().lower() for e in encodings.split(",")]):
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding == "deflate":
            body = zlib.decompress(body)
        elif encoding == "br":
            body = brotli.decompress(body)
        elif encoding == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def _json(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()

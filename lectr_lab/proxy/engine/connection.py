"""One connection to a provider: a request's bytes out, its reply's bytes in, and again.

httptools (llhttp, Node's parser) reads the replies. It is told to be as lenient as
clients of providers are: control characters in values, a missing carriage return, spaces
behind a chunk's size, a length beside chunks, which then does not count. Other framing
that contradicts itself stays an error. Facts, from RFC 9112: replies to HEAD and CONNECT
have no body whatever they say (6.3); one without chunks or a length ends with its
connection; 1xx replies come before the real one.
"""

import asyncio
import select
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.core.headers import RawHeaders

_HELD_BYTES = 256 * 1024  # of a body, before the provider is held back
_SILENT_BYTES = 256 * 1024  # of heads and trailers, without an end or a body
_PIECE_BYTES = 64 * 1024  # of a request's body, written at once
_NOTHING = memoryview(b"")


class Wire(asyncio.Protocol):
    """A connection, and what has come of the reply that it carries."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = self._fresh_parser()
        self._waiting: asyncio.Future[None] | None = None
        self._bodiless = self._broken = self._held = self._full = False
        self._unsent = _NOTHING
        self._fields: list[tuple[bytes, bytes]] = []  # of the head that is being read
        self._chunks: list[bytes] = []
        self._held_bytes = self._silent_bytes = 0
        self.whole = True  # nothing is awaited
        self.closed = self.keeps = self.answered = False
        self.status = 0
        self.headers: RawHeaders = []

    def _fresh_parser(self) -> HttpResponseParser:
        parser = HttpResponseParser(self)
        parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        return parser

    # A request

    def ask(self, head: bytes, body: bytes, *, bodiless: bool = False) -> None:
        """Begin to send; `bodiless`: whatever the reply says, it has no body."""
        if self._bodiless:  # the parser still waits for a body
            self._parser = self._fresh_parser()
        self._bodiless = bodiless
        self._fields, self._chunks = [], []
        self._held_bytes = self._silent_bytes = self.status = 0
        self.whole = self.keeps = self.answered = False
        if len(body) <= _PIECE_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self._unsent = memoryview(body)
            self._send_more()

    def _send_more(self) -> None:
        """Beside the reply: a provider may answer before it has read everything."""
        while self._unsent and not self._full and not self.transport.is_closing():
            self.transport.write(self._unsent[:_PIECE_BYTES])
            self._unsent = self._unsent[_PIECE_BYTES:]

    # Its reply

    async def head(self) -> None:
        """Wait for `status` and `headers`. Raises UpstreamBroken."""
        while not self.status:
            if self._broken:
                raise UpstreamBroken("the provider broke off before it answered")
            await self._more()

    async def chunk(self) -> bytes:
        """What has come of the body since the last call; b"" is its end.

        Raises:
            UpstreamBroken: the body ended too early, or is malformed.
        """
        while not self._chunks:
            if self.whole:
                return b""
            if self._broken:
                raise UpstreamBroken("the provider broke off inside its answer")
            await self._more()
        chunks, self._chunks, self._held_bytes = self._chunks, [], 0
        self._let_go_on()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def whole_body(self) -> bytes:
        """The body, where its end has come and none of it was taken; else nothing."""
        if not self.whole or self._held:
            return b""
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _more(self) -> None:
        self._waiting = self._loop.create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _let_go_on(self) -> None:
        if self._held:
            self._held = False
            self.transport.resume_reading()

    # Its end

    def rest(self) -> bool:
        """After a reply: whether another request may follow on this connection.

        Not after HEAD, where what should not have followed cannot be seen.
        """
        self._let_go_on()
        self._chunks = []
        kept = self.whole and self.keeps and not self._bodiless and not self._unsent
        return kept and not self.closed and not self.transport.is_closing()

    def stirs(self) -> bool:
        """Something has come that the event loop has not seen yet: an end, most likely."""
        arrivals = select.poll()
        arrivals.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return bool(arrivals.poll(0))

    def abort(self) -> None:
        """Close the connection now."""
        self.closed = True
        self.transport.abort()

    def _ended(self, error: Exception | None) -> None:
        """No byte will follow."""
        self._unsent = _NOTHING
        if not self.whole:
            ended_well = error is None and self.status and not self._broken
            if ended_well and _ends_with_its_connection(self.headers):
                self.whole = True
            else:
                self._broken = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the reply, or such as nobody asked for."""
        if self.whole:  # the next reply must not begin with them
            self.abort()
            return
        self.answered = True
        self._silent_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._broken = not self.whole
            self.abort()
        if self._silent_bytes > _SILENT_BYTES and not self.whole:
            self._broken = True
            self.abort()
        self._wake()

    def eof_received(self) -> None:
        """The provider sends no more; the connection closes of itself."""
        self.closed = True
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.closed = True
        self._ended(exc)
        del self._parser  # it holds this object, which holds it

    def pause_writing(self) -> None:
        """The provider reads more slowly than we write."""
        self._full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._full = False
        self._send_more()

    # The parser calls these

    def on_message_begin(self) -> None:
        """A second reply to one request is none."""
        if self.whole:
            raise UpstreamBroken("more than one reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or a trailer, which nobody reads."""
        self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """The end of a head."""
        status, fields = self._parser.get_status_code(), self._fields
        self._fields = []
        if status < 100 or status == 101:  # no status; nobody asked to switch
            raise UpstreamBroken("not a reply")
        if status >= 200:
            self.status, self.headers = status, fields
            self.keeps = self._parser.should_keep_alive()
            self.whole = self._bodiless

    def on_body(self, body: bytes) -> None:
        """A piece of the body, its framing taken off."""
        if self.whole:
            raise UpstreamBroken("a body where there is none")
        self._chunks.append(body)
        self._silent_bytes = 0
        self._held_bytes += len(body)
        if self._held_bytes > _HELD_BYTES and not self._held:
            self._held = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        """The end of a reply, or of one that comes before it."""
        if self.status:
            self.whole = True


def _ends_with_its_connection(headers: RawHeaders) -> bool:
    """Neither chunks nor a length say where the body ends."""
    coding = b""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            return False
        if lower == b"transfer-encoding":
            coding = value
    return coding.rpartition(b",")[2].strip().lower() != b"chunked"

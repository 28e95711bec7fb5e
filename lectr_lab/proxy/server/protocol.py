"""uvicorn's protocol, within bounds that hold before any key is checked.

One request at a time: what a client sends behind a request that is not answered yet is
held as bytes, 64 KB and one read at most, and no longer read once it is that much. So
the parser never sees a request before the one ahead of it is done. It cannot be stopped
where a message ends; but none ends elsewhere than behind an empty line, or where the
declared length of its body does, and it is fed from one such place to the next.

What the wait is for, `_since_s` and `_patience_s` say: a head, a piece of a body, the
next request. One timer a connection looks at them; nothing is scheduled for each request
or piece.
"""

import asyncio
import select
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.proxy.server.body import LATE, Scope
from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.departure import Client
from lectr_lab.proxy.server.unread import take_rest
from lectr_lab.proxy.server.whole_reply import written

_EMPTY_LINE = b"\r\n\r\n"
_FIELD_EXTRA_BYTES = 4  # a colon, a space and the line's end
_HELD_BYTES = 64 * 1024
_LINGER_S = 2.0
_ASK_EVERY_S = 1.0
_BARE_QUERY = "lectr_bare_query"  # in a request's `state`, where a target ends in `?`


class ServerProtocol(HttpToolsProtocol):
    """One connection: reads no more and waits no longer than it should, answers one
    request after the other, tells each at once that its client has left, and answers
    offers of other protocols in HTTP/1.1."""

    def __init__(self, crowd: Crowd, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._crowd, self._limits = crowd, crowd.limits
        self._since_s = self._patience_s = 0.0
        self._look_again: asyncio.TimerHandle | None = None
        self._head_bytes = 0  # of the target and the fields that are whole
        self._unnamed_bytes = 0  # taken since then: of a field, or of what is none
        self._fields = 0
        self._body_left = 0  # of a body whose length is known
        self._tail = b""  # what may be the beginning of an empty line
        self._held = bytearray()  # behind the request that is being answered
        self._client: Client | None = None  # of the last request
        self._refusal: Refusal | None = None  # why the parser was stopped
        self._over = False  # nothing is read any more, but to be thrown away
        self._offers: list[tuple[bytes, bytes]] = []

    # A connection begins, waits and ends

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here."""
        super().connection_made(transport)
        if not self._crowd.room(len(self.connections)):
            self._answer(error_responses.TOO_MANY_CONNECTIONS)
            self._linger()
            self._crowd.turned_away(self)
            return
        self._wait(self._limits.head_timeout_s)
        self._crowd.waits(self)
        self._look_again = self.loop.call_later(self._crowd.look_every_s, self._look)

    def _wait(self, patience_s: float) -> None:
        self._since_s, self._patience_s = self.loop.time(), patience_s

    def _look(self) -> None:
        """Whether the wait is over. Any later one ends no sooner than the next look."""
        if self.transport.is_closing() or self._over:
            return
        left_s = self._since_s + self._patience_s - self.loop.time()
        if left_s <= 0:
            self._waited_enough()
            left_s = self._patience_s
        soon_s = min(left_s, self._crowd.look_every_s)
        self._look_again = self.loop.call_later(soon_s, self._look)

    def _waited_enough(self) -> None:
        self._since_s = self.loop.time()
        cycle = self.cycle
        if cycle is None:
            if self.scope is None:
                self.shut()
            else:  # a head has begun
                self._refuse(error_responses.REQUEST_TIMEOUT)
        elif cycle.more_body:
            if not self.flow.read_paused:  # or it is we who do not read
                cycle.scope["state"][LATE] = True
                cycle.message_event.set()
        elif self.flow.write_paused and not cycle.response_started:
            self.shut()  # earlier replies are not taken, and this one waits for them

    def shut(self) -> None:
        """Close the connection now; what is not taken by now never is."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _linger(self) -> None:
        """Close the connection in a moment, and read what is still sent until then.

        To close on unread bytes would be a reset, which destroys the answer on its way.
        """
        self._over = True
        self._held = bytearray()
        self._crowd.waits(self)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_S, self.shut)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left, or was told to."""
        super().connection_lost(exc)
        self._crowd.gone(self)
        if self._look_again is not None:
            self._look_again.cancel()
        if self._client is not None:
            self._client.left()

    # Bytes, as far as the parser may see them

    def data_received(self, data: bytes) -> None:
        """Bytes are here."""
        self.received(data, len(data))

    def received(self, data: bytes | bytearray, size_bytes: int) -> None:
        """Bytes are here, so many in a buffer that is used again."""
        taken = 0 if self._is_answering() else self._take(data, size_bytes)
        if taken < size_bytes and not self._over:
            self._held += memoryview(data)[taken:size_bytes]
            if len(self._held) >= _HELD_BYTES and not self.flow.read_paused:
                self.flow.pause_reading()
                self._ask_whether_it_left()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.more_body

    def _take(self, data: bytes | bytearray, size_bytes: int) -> int:
        """Parse until a request is whole; how many bytes that took."""
        at = 0
        while at < size_bytes and not self._over and not self._is_answering():
            end = self._end_of_piece(data, at, size_bytes)
            self._parse(memoryview(data)[at:end])
            at = end
        return at

    def _end_of_piece(self, data: bytes | bytearray, at: int, size_bytes: int) -> int:
        """Where the parser has to stop: the first place where a message may end."""
        if self._body_left:
            end = min(size_bytes, at + self._body_left)
            self._body_left -= end - at
            return end
        tail, self._tail = self._tail, b""
        if tail:
            found = (tail + data[at : min(at + 3, size_bytes)]).find(_EMPTY_LINE)
            if found >= 0:
                return at + found + len(_EMPTY_LINE) - len(tail)
        found = data.find(_EMPTY_LINE, at, size_bytes)
        if found >= 0:
            return found + len(_EMPTY_LINE)
        self._tail = (tail + data[max(at, size_bytes - 3) : size_bytes])[-3:]
        return size_bytes

    def _parse(self, piece: memoryview | bytes) -> None:
        self._unnamed_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._is_offer():
                self._parse(self._without_offer())
        except httptools.HttpParserError:
            self._refuse(self._refusal or error_responses.BAD_REQUEST)
        else:
            if self._head_bytes + self._unnamed_bytes > self._limits.head_bytes:
                self._refuse(self._crowd.head_too_large)

    def _ask_whether_it_left(self) -> None:
        """Who is not read from cannot say so; the system knows (Linux before unread
        bytes are, others once both sides are closed)."""
        if not self.flow.read_paused or self.transport.is_closing():
            return
        ends = select.poll()
        ends.register(
            self.transport.get_extra_info("socket"), getattr(select, "POLLRDHUP", 0)
        )
        if ends.poll(0):
            self.transport.abort()
        else:
            self.loop.call_later(_ASK_EVERY_S, self._ask_whether_it_left)

    def _is_offer(self) -> bool:
        """The request would rather be answered in another protocol. The parser then
        takes what follows for that protocol, its body too. (CONNECT offers nothing.)"""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _without_offer(self) -> bytes:
        """The head once more, for a new parser, as of a client that offers nothing."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        line = b"%s %s HTTP/%s\r\n" % (method, self.url, version.encode())
        self._offers = [field for field in self.headers if field[0] == b"upgrade"]
        fields = [b"%s: %s\r\n" % f for f in self.headers if f[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join([line, *fields, b"\r\n"])

    # What cannot be served

    def _stop(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise ValueError(refusal.code)  # which ends the parser's work

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot be parsed, and listen to this client no more."""
        cycle = self.cycle
        if cycle is None or not cycle.response_started:
            self._answer(refusal)
        if cycle is not None:  # its body is broken: whoever waits for it is told
            cycle.disconnected = True
            cycle.message_event.set()
        self._linger()

    def _answer(self, refusal: Refusal) -> None:
        reply = written(refusal.status, refusal.head(), refusal.body(), False)
        self.transport.write(reply)

    def _counted(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        self._unnamed_bytes = 0
        if self._head_bytes > self._limits.head_bytes:
            self._stop(self._crowd.head_too_large)

    # The parser calls these

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = self._fields = 0
        self._wait(self._limits.head_timeout_s)
        self._client = Client.of(self.scope)

    def on_url(self, url: bytes) -> None:
        """A piece of its target is here."""
        super().on_url(url)
        if len(self.url) > self._limits.request_line_bytes:
            self._stop(self._crowd.line_too_long)
        self._counted(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of its head is here, or of its trailer, which nobody reads."""
        if self.cycle is None:
            super().on_header(name, value)
        self._fields += 1
        if self._fields > self._limits.head_fields:
            self._stop(self._crowd.head_too_large)
        self._counted(len(name) + len(value) + _FIELD_EXTRA_BYTES)

    def on_headers_complete(self) -> None:
        """Its head is here; what answers it has not begun."""
        if self._is_offer():
            return
        names = [name for name, _ in self.headers]
        self._check_hosts(names.count(b"host"))
        if b"content-length" in names:
            self._body_left = int(self.headers[names.index(b"content-length")][1])
        self.headers += self._offers
        self._offers = []
        super().on_headers_complete()
        self._crowd.works(self)
        self._wait(self._limits.body_timeout_s)
        if self.scope["http_version"] == "1.0":
            self.cycle.send = _without_chunks(self.cycle)  # type: ignore[method-assign, assignment]
            self.cycle.transport = self._lingering()
        if self.url.endswith(b"?"):
            self.scope["state"][_BARE_QUERY] = True

    def _check_hosts(self, count: int) -> None:
        """RFC 9112, 3.2: one Host line, which HTTP/1.0 may leave out."""
        if count != 1 and (count or self.parser.get_http_version() != "1.0"):
            self._stop(error_responses.BAD_REQUEST)

    def on_body(self, body: bytes) -> None:
        """A piece of its body is here."""
        self._unnamed_bytes = 0
        self._since_s = self.loop.time()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._unnamed_bytes = self._body_left = 0
        if not self._is_offer():
            super().on_message_complete()
            self._wait(self._limits.keep_alive_s)

    # Its reply calls these

    def on_response_complete(self) -> None:
        """It is answered: the next one may come, or is here."""
        self.server_state.total_requests += 1
        unread = self.cycle.more_body
        # An idle connection holds nothing of what was asked on it.
        self.cycle = self.scope = self.headers = None  # type: ignore[assignment]
        if self.transport.is_closing() or self._over:
            return
        if unread:
            self._linger()
            return
        self._wait(self._limits.keep_alive_s)
        self._crowd.waits(self)
        taken = self._take(self._held, len(self._held))
        del self._held[:taken]
        if len(self._held) < _HELD_BYTES:
            self.flow.resume_reading()

    def _lingering(self) -> Any:
        """The transport, for a reply with which the connection ends: gently, where the
        request's body was not read."""

        def close() -> None:
            if not self._is_answering():
                self._linger()
            else:
                self.transport.close()

        write, is_closing = self.transport.write, self.transport.is_closing
        return SimpleNamespace(write=write, is_closing=is_closing, close=close)


def _without_chunks(cycle: RequestResponseCycle) -> Callable[[Any], Awaitable[None]]:
    """Who speaks HTTP/1.0 knows no chunks (RFC 9112, 6.1), and uvicorn sends them.

    A body of unknown length ends with the connection, then.
    """
    send, unframed = cycle.send, False

    async def send_on(message: Any) -> None:
        nonlocal unframed
        if message["type"] == "http.response.start":
            if cycle.more_body:
                await take_rest(cycle)
            names = {name.lower() for name, _ in message["headers"]}
            unframed = b"content-length" not in names
            cycle.chunked_encoding = False if unframed else None
        elif unframed:
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    return send_on


def asks_nothing(scope: Scope) -> bool:
    """A target ends in its question mark. ASGI does not tell it: our own server does."""
    return _BARE_QUERY in scope.get("state", ())

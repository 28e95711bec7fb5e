"""uvicorn's protocol, within bounds that hold before any key is checked.

One request at a time: what a client sends behind a request that is not answered yet is
held as bytes, 64 KB and one read at most, and no longer read once it is that much. So
the parser never sees a request before the one ahead of it is done: it is fed from one
place where a message may end to the next.

What the wait is for, `_since_s` and `_patience_s` say: a head, a piece of a body, the
next request. One timer a connection looks at them; nothing is scheduled for each request
or piece.
"""

import asyncio
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lectr_lab.core import error_responses
from lectr_lab.core.error_forms import Form, form_of
from lectr_lab.core.error_responses import Refusal
from lectr_lab.proxy.key_in_path import without_key
from lectr_lab.proxy.server.body import BARE_QUERY, LATE, Flow
from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.cut import Cuts
from lectr_lab.proxy.server.cycle import begin, begin_again
from lectr_lab.proxy.server.departure import CLIENT, Client, has_left
from lectr_lab.proxy.server.known_heads import MOST_DIGITS
from lectr_lab.proxy.server.old_http import speak_old_http
from lectr_lab.proxy.server.whole_reply import written

_FIELD_EXTRA_BYTES = 4  # a colon, a space and the line's end
_HELD_BYTES = 64 * 1024
_LINGER_S = 2.0
_ASK_EVERY_S = 1.0


class ServerProtocol(HttpToolsProtocol):
    """One connection: reads no more and waits no longer than it should, answers one
    request after the other, tells each at once that its client has left, and answers
    offers of other protocols in HTTP/1.1."""

    # A third of what an idle connection would cost: with more names than Python lets
    # objects share, each has a table of its own.
    __slots__ = tuple(
        (
            "_client _crowd _cuts _fields_left _head_bytes_left _held _known_left "
            "_limits _look_again _offers _over _patience_s _refusal _since_s "
            "_unnamed_bytes _unsent_bytes"
        ).split()
    )

    def __init__(self, crowd: Crowd, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        del self.pipeline  # there is one request at a time
        self._crowd, self._limits = crowd, crowd.limits
        self._since_s = self._patience_s = 0.0
        self._look_again: asyncio.TimerHandle | None = None
        self._head_bytes_left = self._limits.head_bytes  # of target and whole fields
        self._unnamed_bytes = 0  # taken since then: of a field, or of what is none
        self._fields_left = 0
        self._cuts = Cuts()
        self._known_left = 0  # of the body behind a head that the parser has not seen
        self._held = bytearray()  # behind the request that is being answered
        self._client: Client | None = None  # of the last request
        self._refusal: Refusal | None = None  # why the parser was stopped
        self._unsent_bytes = 0  # when it was last looked at
        self._over = False  # nothing is read any more, but to be thrown away
        self._offers: list[tuple[bytes, bytes]] = []

    # A connection begins, waits and ends

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here."""
        super().connection_made(transport)
        self.flow: Flow = Flow(transport)
        if not self._crowd.room(len(self.connections)):
            self._answer(error_responses.TOO_MANY_CONNECTIONS)
            self._linger()
            self._crowd.turned_away(self)
            return
        self._wait(self._limits.head_timeout_s)
        self._crowd.waits(self)
        self._look_in(self._crowd.look_every_s)

    def _wait(self, patience_s: float) -> None:
        self._since_s, self._patience_s = self.loop.time(), patience_s

    def _look_in(self, seconds: float) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
        self._look_again = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Whether the wait is over. Any later one ends no sooner than the next look."""
        left_s = self._since_s + self._patience_s - self.loop.time()
        if left_s <= 0:
            self._since_s = self.loop.time()
            self._waited_enough()
            left_s = self._patience_s
        self._look_in(min(left_s, self._crowd.look_every_s))

    def _waited_enough(self) -> None:
        cycle = self.cycle
        if self._over or self.transport.is_closing():
            self._patience_s = self._crowd.look_every_s
            self._shut_unless_it_takes()
        elif cycle is None and self.scope is not None:  # a head has begun
            self._refuse(error_responses.REQUEST_TIMEOUT)
        elif cycle is not None and cycle.more_body:
            cycle.scope["state"][LATE] = True  # unless it is we who do not read
            cycle.message_event.set()
        elif cycle is None or (self.flow.write_paused and not cycle.response_started):
            self._shut_unless_it_takes()

    def _shut_unless_it_takes(self) -> None:
        """What is written may be on its way to a client that is slow."""
        unsent_bytes = self.transport.get_write_buffer_size()
        if not unsent_bytes or unsent_bytes == self._unsent_bytes:
            self.shut()
        self._unsent_bytes = unsent_bytes

    def retire(self) -> None:
        """Tell the client, in the next head that it gets, to connect anew for what it
        asks then. One that has its head already is told with the reply after that: to
        close on a client that counts on the connection would lose its request."""
        if self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = False

    def shut(self) -> None:
        """Close the connection now; what is not taken by now never is."""
        self.transport.abort()

    def _linger(self) -> None:
        """Close the connection in a moment, and read what is still sent until then.

        To close on unread bytes would be a reset, which destroys the answer on its way.
        """
        self._over = True
        self._held = bytearray()
        self.flow.is_full = False
        self._crowd.waits(self)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self._wait(_LINGER_S)
        self._look_in(_LINGER_S)

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
        taken = self._take(data, size_bytes)
        if taken < size_bytes and not self._over:
            self._held += memoryview(data)[taken:size_bytes]
            if len(self._held) >= _HELD_BYTES and not self.flow.read_paused:
                self.flow.is_full = True
                self.flow.pause_reading()
                self._ask_whether_it_left()

    def _take(self, data: bytes | bytearray, size_bytes: int) -> int:
        """Parse until a request is whole; how many bytes that took."""
        at, view = 0, memoryview(data)
        while at < size_bytes and not self._over:
            if self.cycle is not None and not self.cycle.more_body:
                break  # it is being answered
            if self._known_left:
                at = self._take_body(view, at, size_bytes)
                continue
            begins = self.scope is None
            if begins and (end := self._take_known(data, at, size_bytes)):
                at = end
                continue
            end = self._cuts.end(data, at, size_bytes)
            self._unnamed_bytes += end - at
            self._parse(view[at:end])
            if begins and self.cycle is not None:
                self._may_be_known(bytes(view[at:end]))
            at = end
        return at

    def _take_known(self, data: bytes | bytearray, at: int, size_bytes: int) -> int:
        """Begin the request that is there, if its head came before: how far it was
        taken, or 0. The parser is between two requests, and stays there."""
        again = self._crowd.known_heads.find(data, at, size_bytes)
        if again is None:
            return 0
        whole = again.end <= size_bytes
        self._client = begin_again(self, again, data if whole else None)
        self._works()
        limits, taken = self._limits, again.end if whole else again.body_at
        self._wait(limits.keep_alive_s if whole else limits.body_timeout_s)
        self._known_left = again.end - taken
        return taken

    def _take_body(self, view: memoryview, at: int, size_bytes: int) -> int:
        """More of the body behind a known head: how far it was taken."""
        end = min(at + self._known_left, size_bytes)
        self._known_left -= end - at
        self.on_body(bytes(view[at:end]))
        if not self._known_left:
            self.on_message_complete()
        return end

    def _may_be_known(self, head: bytes) -> None:
        """The parser has taken it whole. Another length must not be too much for it."""
        if self._client is not None and self._head_bytes_left >= MOST_DIGITS:
            known = self._crowd.known_heads
            self._client.vouch = partial(known.add, head, self.url, self.scope)

    def _parse(self, piece: memoryview | bytes) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self._is_offer():
                head = self._without_offer()
                self._unnamed_bytes += len(head)
                self._parse(head)
        except httptools.HttpParserError:
            http2 = self.parser.get_method() == b"PRI"  # RFC 9113, 3.4
            other = error_responses.HTTP2 if http2 else error_responses.BAD_REQUEST
            self._refuse(self._refusal or other)
        else:
            if self._unnamed_bytes > self._head_bytes_left:
                self._refuse(self._crowd.head_too_large)

    def _ask_whether_it_left(self) -> None:
        """Who is not read from cannot say so. The system knows."""
        if not self.flow.read_paused or self.transport.is_closing():
            return
        if has_left(self.transport):
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
        form = self._form()
        head, body = refusal.head(form), refusal.body(form)
        self.transport.write(written(refusal.status, head, body, False))

    def _form(self) -> Form:
        """Whose API is being asked, as far as it is known."""
        if self.scope is None:  # no request has begun
            return "openai"
        _, raw_path = without_key(self.url.partition(b"?")[0])
        return form_of(raw_path, self.headers)

    # The parser calls these

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes_left = self._limits.head_bytes
        self._fields_left = self._limits.head_fields
        self._wait(self._limits.head_timeout_s)
        self._client = self.scope["state"][CLIENT] = Client()

    def on_url(self, url: bytes) -> None:
        """A piece of its target is here."""
        super().on_url(url)
        if len(self.url) > self._limits.request_line_bytes:
            self._stop(self._crowd.line_too_long)
        self._head_bytes_left -= len(url)
        self._unnamed_bytes = 0
        if self._head_bytes_left < 0:
            self._stop(self._crowd.head_too_large)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of its head is here, or of its trailer, which nobody reads."""
        if self.cycle is None:
            self.headers.append((name.lower(), value))
        fields_left = self._fields_left = self._fields_left - 1
        taken = len(name) + len(value) + _FIELD_EXTRA_BYTES
        bytes_left = self._head_bytes_left = self._head_bytes_left - taken
        self._unnamed_bytes = 0
        if fields_left < 0 or bytes_left < 0:
            self._stop(self._crowd.head_too_large)

    def on_headers_complete(self) -> None:
        """Its head is here; what answers it has not begun."""
        if self._is_offer():
            return
        last = dict(self.headers)
        if b"host" not in last or len(last) < len(self.headers):
            self._check_hosts([name for name, _ in self.headers].count(b"host"))
        if b"content-length" in last:
            self._cuts.body_left = int(last[b"content-length"])
        self.expect_100_continue = last.get(b"expect", b"").lower() == b"100-continue"
        self.headers += self._offers
        self._offers = []
        task = begin(self)
        if self._client is not None:
            self._client.task = task
        self._works()
        self._wait(self._limits.body_timeout_s)
        if self.scope["http_version"] == "1.0":
            speak_old_http(self.cycle, self._linger)
        if self.url.endswith(b"?"):
            self.scope["state"][BARE_QUERY] = True

    def _works(self) -> None:
        if self._crowd.retiring:
            self.cycle.keep_alive = False
        self._crowd.works(self)

    def _check_hosts(self, count: int) -> None:
        """RFC 9112, 3.2: one Host line, which HTTP/1.0 may leave out."""
        if count != 1 and (count or self.parser.get_http_version() != "1.0"):
            self._stop(error_responses.BAD_REQUEST)

    def on_body(self, body: bytes) -> None:
        """A piece of its body is here."""
        self._unnamed_bytes = 0
        self._since_s = self.loop.time()
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._unnamed_bytes = self._cuts.body_left = 0
        if not self._is_offer():
            if not self.cycle.response_complete:
                self.cycle.more_body = False
                self.cycle.message_event.set()
            self._patience_s = self._limits.keep_alive_s

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
        if not self.transport.get_write_buffer_size():  # or it still takes its reply
            self._crowd.waits(self)
        if self._held:
            taken = self._take(self._held, len(self._held))
            del self._held[:taken]
        self.flow.is_full = len(self._held) >= _HELD_BYTES
        if self.flow.read_paused:
            self.flow.resume_reading()

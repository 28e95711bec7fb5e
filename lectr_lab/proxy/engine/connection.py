"""One connection to a provider: a request's bytes out, its reply's bytes in, and again.

httptools (llhttp, Node's parser) reads the replies. It is told to be as lenient as
clients of providers are: control characters in values, a missing carriage return, spaces
behind a chunk's size, a length beside chunks, which then does not count. Other framing
that contradicts itself stays an error. Facts, from RFC 9112: replies to HEAD and CONNECT
have no body whatever they say (6.3); one without chunks or a length ends with its
connection; 1xx replies come before the real one.

A connection is in one of seven states, and a table says what may happen in each, as in
h11. What the table does not name is an error that ends the connection.
"""

import asyncio
import select
import ssl
from enum import Enum
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.core.headers import RawHeaders

_HELD_BYTES = 256 * 1024  # of a body, before the provider is held back
_SILENT_BYTES = 256 * 1024  # of heads and trailers, without an end or a body
_PIECE_BYTES = 64 * 1024  # of a request's body, written at once
_NOTHING = memoryview(b"")


class State(Enum):
    """How far a reply is. What has come of its body can be taken in each."""

    IDLE = "nothing is awaited, and a request may be sent"
    ASKED = "a request is on its way, and no byte of a reply has come"
    HEAD = "a head is being read"
    BODY = "a body is being read"
    SPENT = "nothing is awaited, and no request may follow"
    UNANSWERED = "the connection ended before a byte of a reply"
    BROKEN = "the reply stopped before its end"

    __hash__ = object.__hash__  # Enum's runs in Python, for each piece of each reply


# Names of their own: a class of enums is slow to be asked for one.
IDLE, ASKED, HEAD, BODY, SPENT, UNANSWERED, BROKEN = State
_WHOLE = (IDLE, SPENT)
_ENDED_EARLY = (UNANSWERED, BROKEN)


class On(dict[State, State]):
    """What happens to a connection: the states that it may happen in, and what follows.

    >>> On({BODY: IDLE})[BODY].name
    'IDLE'
    >>> On({BODY: IDLE})[HEAD]
    Traceback (most recent call last):
    lectr_lab.core.errors.UpstreamBroken: not while a head is being read
    """

    def __missing__(self, state: State) -> State:
        raise UpstreamBroken(f"not while {state.value}")


ON_ASK = On({IDLE: ASKED})
ON_BYTES = On({ASKED: HEAD, HEAD: HEAD, BODY: BODY})
ON_HEAD = On({HEAD: BODY})
ON_HEAD_ALONE = On({HEAD: SPENT})
ON_END = On({BODY: IDLE})
ON_LAST_END = On({BODY: SPENT})
ON_CLOSE = On(
    {IDLE: SPENT, ASKED: UNANSWERED, HEAD: BROKEN, BODY: BROKEN}
    | {state: state for state in (SPENT, UNANSWERED, BROKEN)}
)


class Wire(asyncio.Protocol):
    """A connection, and what has come of the reply that it carries."""

    transport: asyncio.Transport
    _arrivals: "select.poll | None" = None

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = self._make_parser()
        self._waiting: asyncio.Future[None] | None = None
        self._read_paused = self._write_paused = False
        self._bodiless = False  # the reply, whatever it says
        self._unsent = _NOTHING
        self._fields: list[tuple[bytes, bytes]] = []  # of the head that is being read
        self._chunks: list[bytes] = []
        self._held_bytes = self._silent_bytes = 0
        self.state = IDLE
        self.status = 0
        self.headers: RawHeaders = []

    @property
    def whole(self) -> bool:
        """Nothing is awaited."""
        return self.state in _WHOLE

    def _make_parser(self) -> HttpResponseParser:
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
        """Begin to send; `bodiless`: whatever the reply says, it has no body.

        Raises:
            UpstreamBroken: the connection has ended, be it a new one.
        """
        if self.transport.is_closing():  # of which connection_lost is yet to tell
            self.state = ON_CLOSE[self.state]
        self.state = ON_ASK[self.state]
        self._bodiless = bodiless
        self._fields, self._chunks = [], []
        self._held_bytes = self._silent_bytes = self.status = 0
        if len(body) <= _PIECE_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self._unsent = memoryview(body)
            self._send_more()

    def _send_more(self) -> None:
        """Beside the reply: a provider may answer before it has read everything."""
        while self._unsent and not (self._write_paused or self.transport.is_closing()):
            self.transport.write(self._unsent[:_PIECE_BYTES])
            # What is left when nothing is would still hold the whole body.
            self._unsent = self._unsent[_PIECE_BYTES:] or _NOTHING

    # Its reply

    async def head(self) -> None:
        """Wait for `status` and `headers`. Raises UpstreamBroken."""
        while not self.status:
            if self.state in _ENDED_EARLY:
                raise UpstreamBroken("the provider broke off before it answered")
            await self._more()

    async def chunk(self) -> bytes:
        """What has come of the body since the last call; b"" is its end.

        Raises:
            UpstreamBroken: the body ended too early, or is malformed.
        """
        while not self._chunks:
            if self.state in _WHOLE:
                return b""
            if self.state in _ENDED_EARLY:
                raise UpstreamBroken("the provider broke off inside its answer")
            await self._more()
        chunks, self._chunks, self._held_bytes = self._chunks, [], 0
        if self._read_paused:
            self._let_go_on()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def whole_body(self) -> bytes:
        """The body, where its end has come and none of it was taken; else nothing."""
        if self.state not in _WHOLE or self._read_paused:
            return b""
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _more(self) -> asyncio.Future[None]:
        """Done as soon as something comes, or nothing will."""
        self._waiting = waiting = self._loop.create_future()
        return waiting

    def _let_go_on(self) -> None:
        self._read_paused = False
        self.transport.resume_reading()

    # Its end

    def rest(self) -> bool:
        """After a reply: whether another request may follow on this connection.

        Not after HEAD, where what should not have followed cannot be seen.
        """
        if self._read_paused:
            self._let_go_on()
        self._chunks = []
        idle = self.state is IDLE and not self._unsent
        return idle and not self.transport.is_closing()

    def stirs(self) -> bool:
        """Something has come that the event loop has not seen yet: an end, most likely."""
        if self._arrivals is None:
            self._arrivals = select.poll()
            socket = self.transport.get_extra_info("socket")
            self._arrivals.register(socket, select.POLLIN)
        return bool(self._arrivals.poll(0))

    def abort(self) -> None:
        """Close the connection now."""
        self.state = ON_CLOSE[self.state]
        self.transport.abort()

    def _ended(self, error: Exception | None) -> None:
        """No byte will follow."""
        self._unsent = _NOTHING
        in_body = error is None and self.state is BODY
        if in_body and ends_with_its_connection(self.headers):
            self.state = ON_LAST_END[self.state]
        self.state = ON_CLOSE[self.state]
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():  # who waited may have given up
            waiting.set_result(None)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the reply, or such as nobody asked for."""
        self._silent_bytes += len(data)
        try:
            if self.state is not BODY:
                self.state = ON_BYTES[self.state]
            self._parser.feed_data(data)
        except (UpstreamBroken, HttpParserError, HttpParserUpgrade):
            self.abort()  # the next reply must not begin with them
        if self._silent_bytes > _SILENT_BYTES and not self.whole:
            self.abort()
        self._wake()

    def eof_received(self) -> None:
        """The provider sends no more; the connection closes of itself."""
        tls: ssl.SSLObject | None = self.transport.get_extra_info("ssl_object")
        self._ended(None if tls is None or is_over(tls) else ConnectionAbortedError())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; of an end that was meant, `eof_received` has told."""
        self._ended(exc or ConnectionAbortedError())
        del self._parser  # it holds this object, which holds it

    def pause_writing(self) -> None:
        """The provider reads more slowly than we write."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._write_paused = False
        self._send_more()

    # The parser calls these

    def on_message_begin(self) -> None:
        """A second reply to one request is none."""
        if self.state is not HEAD:
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
            on_head = ON_HEAD_ALONE if self._bodiless else ON_HEAD
            self.state = on_head[self.state]

    def on_body(self, body: bytes) -> None:
        """A piece of the body, its framing taken off."""
        if self.state is not BODY:
            raise UpstreamBroken("a body where there is none")
        self._chunks.append(body)
        self._silent_bytes = 0
        self._held_bytes += len(body)
        if self._held_bytes > _HELD_BYTES and not self._read_paused:
            self._read_paused = True
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        """The end of a reply, or of one that comes before it, or of a head alone."""
        if self.state is BODY:
            kept = self._parser.should_keep_alive()
            self.state = (ON_END if kept else ON_LAST_END)[self.state]


def is_over(tls: ssl.SSLObject) -> bool:
    """The other side said that it would: without that, the end is a cut (RFC 9112, 9.8)."""
    try:
        return tls.read(1) == b""
    except ssl.SSLError:  # there might be more
        return False


def ends_with_its_connection(headers: RawHeaders) -> bool:
    """Neither chunks nor a length say where the body ends."""
    coding = b""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            return False
        if lower == b"transfer-encoding":
            coding = value
    return coding.rpartition(b",")[2].strip().lower() != b"chunked"

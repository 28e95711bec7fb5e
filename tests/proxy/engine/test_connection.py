"""A reply is read the same however it is cut, and what is no reply is none.

Each state and what may happen in it stands in a table, and is held against chance.
"""

import asyncio
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.proxy.engine import connection
from lectr_lab.proxy.engine.connection import On, State, Wire

OK = b"HTTP/1.1 200 OK\r\n"
MB = 1024 * 1024


class Line(asyncio.Transport):
    """The other end of a wire: what was written, and what it was told to do."""

    def __init__(self):
        super().__init__()
        self.written, self.reading, self.open = [], True, True

    def write(self, data):
        self.written.append(bytes(data))

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def is_closing(self):
        return not self.open

    def abort(self):
        self.open = False


def asked(*, body: bytes = b"", bodiless: bool = False) -> tuple[Wire, Line]:
    """A wire on which a request was sent."""
    wire, line = Wire(), Line()
    wire.connection_made(line)
    wire.ask(b"head", body, bodiless=bodiless)
    return wire, line


async def result(pieces: list[bytes], *, bodiless: bool = False):
    """Status, headers and body of a reply that comes in pieces, and then the end."""
    wire, line = asked(bodiless=bodiless)
    for piece in pieces:
        if line.open:
            wire.data_received(piece)
    whole_before_the_end = wire.whole
    if line.open:
        wire.eof_received()
    wire.connection_lost(None)
    await wire.head()
    chunks = []
    while chunk := await wire.chunk():
        chunks.append(chunk)
    return wire.status, wire.headers, b"".join(chunks), whole_before_the_end


def read(*pieces: bytes, bodiless: bool = False):
    return asyncio.run(result(list(pieces), bodiless=bodiless))


def framed(framing: str, body: bytes, sizes: list[int]) -> bytes:
    """Headers that say how the body is framed, and the body in that frame."""
    if framing == "length":
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if framing == "close":
        return b"\r\n" + body
    lines, rest = [b"Transfer-Encoding: chunked\r\n\r\n"], body
    for size in sizes:
        piece, rest = rest[:size], rest[size:]
        if piece:
            lines.append(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece))
    if rest:
        lines.append(b"%X\r\n%b\r\n" % (len(rest), rest))
    return b"".join([*lines, b"0\r\nX-Trailer: 1\r\n\r\n"])


values = st.binary(max_size=20).map(lambda v: bytes(c for c in v if c > 31).strip())
interim = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" * 2,
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    framing=st.sampled_from(["length", "chunked", "close"]),
    before=interim,
    status=st.sampled_from([200, 201, 404, 429, 599]),
    headers=st.lists(values, max_size=4),
    body=st.binary(max_size=300),
    sizes=st.lists(st.integers(1, 50), max_size=5),
    data=st.data(),
)
def test_a_reply_is_the_same_however_it_is_cut(
    framing, before, status, headers, body, sizes, data
):
    """Its words are those that were sent, and 1xx replies and trailers leave no trace."""
    lines = b"".join(b"X-Mine: %b\r\n" % value for value in headers)
    head = b"%bHTTP/1.1 %d R\r\n%b" % (before, status, lines)
    raw = head + framed(framing, body, sizes)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=20)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]

    got_status, got_headers, got_body, whole = read(*pieces)

    mine = [value for name, value in got_headers if name == b"X-Mine"]
    assert (got_status, mine, got_body) == (status, headers, body)
    assert whole is (framing != "close")
    assert len(got_headers) == len(headers) + (framing != "close")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200",
        OK + b"x: 1\r\n",
        b"\x16\x03\x01 no HTTP\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
        OK + b"content-length: 3\r\n\r\nab",
        OK + b"transfer-encoding: chunked\r\n\r\n3\r\nab",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\nabc",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nabc",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 099 Early\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
    ],
)
def test_what_is_no_whole_reply_is_broken(raw):
    """Whether it comes at once, or byte by byte."""
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        with pytest.raises(UpstreamBroken):
            read(*pieces)


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", b"{}"),  # no reason
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
        (
            OK + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}",
            b"{}",
        ),
        (OK + b"transfer-encoding: chunked\r\n\r\n2  \r\n{}\r\n0\r\n\r\n", b"{}"),
        (
            OK + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\n\r\n",
            b"{}",
        ),
        (b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}", b"{}"),
        (b"HTTP/1.1 204 No\r\n\r\n", b""),
        (b"HTTP/1.1 304 No\r\ncontent-length: 9\r\n\r\n", b""),
    ],
)
def test_unusual_replies_are_replies(raw, body):
    """As clients of providers take them."""
    assert read(raw)[2:] == (body, True)


def test_a_value_is_without_the_space_around_it():
    """RFC 9110, 5.5; what is inside stays, whatever it is."""
    raw = OK + b"a:\r\nB: \t x \xe9\x01y \t\r\ncontent-length: 0\r\n\r\n"

    assert read(raw)[1][:2] == [(b"a", b""), (b"B", b"x \xe9\x01y")]


def test_a_reply_to_head_has_no_body():
    """Whatever length it gives; and nothing follows on that connection."""

    async def go():
        wire, _ = asked(bodiless=True)
        wire.data_received(OK + b"content-length: 30\r\n\r\n")
        return wire.whole, await wire.chunk(), wire.rest()

    assert asyncio.run(go()) == (True, b"", False)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("more", [b"GARBAGE", OK, b"\r\n" + OK])
def test_what_follows_a_reply_ends_the_connection(more, later):
    """It is no part of this reply, nor of the next one."""

    async def go():
        wire, line = asked()
        reply = OK + b"content-length: 2\r\n\r\n{}"
        for piece in [reply, more] if later else [reply + more]:
            wire.data_received(piece)
        return await wire.chunk(), wire.rest(), line.open

    assert asyncio.run(go()) == (b"{}", False, False)


def test_a_connection_is_used_again_after_a_whole_reply():
    """With the same parser, and nothing left of the first."""

    async def go():
        wire, line = asked()
        seen = []
        for number in (b"1", b"2"):
            head = OK + b"x: %b\r\ncontent-length: 1\r\n\r\n" % number
            wire.data_received(head + number)
            await wire.head()
            seen.append((wire.headers[0][1], await wire.chunk(), await wire.chunk()))
            assert wire.rest() and line.open
            wire.ask(b"head", b"")
        return seen

    assert asyncio.run(go()) == [(b"1", b"1", b""), (b"2", b"2", b"")]


@pytest.mark.parametrize(
    "raw", [OK + b"connection: close\r\ncontent-length: 0\r\n\r\n", OK + b"\r\n"]
)
def test_a_connection_that_the_provider_will_close_is_not_kept(raw):
    """It says so, or the body ends with it."""

    async def go():
        wire, _ = asked()
        wire.data_received(raw)
        return wire.rest()

    assert asyncio.run(go()) is False


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (OK, b"x: " + b"y" * 997),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
        (OK + b"transfer-encoding: chunked\r\n\r\n1;", b"x" * 1000),
    ],
)
def test_no_head_and_no_trailer_is_endless(start, endless):
    """A quarter of a megabyte without a body, and the connection is closed."""

    async def go():
        wire, line = asked()
        wire.data_received(start)
        sent = 0
        while line.open and sent < MB:
            wire.data_received(endless)
            sent += len(endless)
        with pytest.raises(UpstreamBroken):
            await wire.head()
            await wire.chunk()
        return sent

    assert asyncio.run(go()) < 300 * 1024


def test_a_provider_is_held_back_while_nobody_reads():
    """And goes on when somebody does."""

    async def go():
        wire, line = asked()
        wire.data_received(OK + b"content-length: %d\r\n\r\n" % (10 * MB))
        sent = 0
        while line.reading:
            wire.data_received(b"x" * 65536)
            sent += 65536
        assert 256 * 1024 <= sent <= 512 * 1024
        assert len(await wire.chunk()) == sent
        return line.reading

    assert asyncio.run(go())


def test_a_large_body_is_written_as_it_is_taken():
    """Beside the reply, which may be there before all of it is."""

    async def go():
        body = bytes(range(256)) * 4096
        wire, line = asked()
        wire.data_received(OK + b"content-length: 0\r\n\r\n")
        wire.pause_writing()
        wire.ask(b"head", body)
        assert line.written[1:] == [b"head"]
        wire.data_received(OK + b"content-length: 0\r\n\r\n")
        await wire.head()
        assert not wire.rest()  # the rest of the body would open the next request
        wire.resume_writing()
        assert b"".join(line.written[2:]) == body
        return wire.rest()

    assert asyncio.run(go())


def rows(table: str) -> dict[tuple[str, str], str]:
    """A table as text: its cells by the names of their row and column."""
    head, *lines = (line.split() for line in table.strip().splitlines())
    return {
        (name, column): cell
        for name, *cells in lines
        for column, cell in zip(head, cells, strict=True)
    }


# A dash: it cannot happen, and is an error.
NEXT = rows("""
            ON_ASK  ON_BYTES  ON_HEAD  ON_HEAD_ALONE  ON_END  ON_LAST_END  ON_CLOSE
IDLE        ASKED   -         -        -              -       -            SPENT
ASKED       -       HEAD      -        -              -       -            UNANSWERED
HEAD        -       HEAD      BODY     SPENT          -       -            BROKEN
BODY        -       BODY      -        -              IDLE    SPENT        BROKEN
SPENT       -       -         -        -              -       -            SPENT
UNANSWERED  -       -         -        -              -       -            UNANSWERED
BROKEN      -       -         -        -              -       -            BROKEN
""")
EVENTS = {name: on for name, on in vars(connection).items() if isinstance(on, On)}


@pytest.mark.parametrize(("state", "event"), list(product(State.__members__, EVENTS)))
def test_every_event_in_every_state_has_its_next_or_is_an_error(state, event):
    """The table is whole: no pair is left to chance."""
    follows = NEXT[state, event]
    if follows == "-":
        with pytest.raises(UpstreamBroken):
            EVENTS[event][State[state]]
    else:
        assert EVENTS[event][State[state]] is State[follows]


CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n"
# How a wire comes into a state, and bytes that a provider may send next.
STARTS = {
    "new": ([], OK),
    "idle": (["ask", OK + b"content-length: 0\r\n\r\n"], OK),
    "asked": (["ask"], OK + b"content-length: 1\r\n\r\na"),
    "asked_head": (["ask HEAD"], OK + b"content-length: 1\r\n\r\n"),
    "head": (["ask", OK], b"connection: close\r\ncontent-length: 0\r\n\r\n"),
    "1xx": (
        ["ask", b"HTTP/1.1 100 Continue\r\n\r\n"],
        OK + b"content-length: 0\r\n\r\n",
    ),
    "body": (["ask", CHUNKED], b"0\r\n\r\n"),
    "to_close": (["ask", OK + b"\r\na"], b"b"),
    "spent": (["ask", OK + b"connection: close\r\ncontent-length: 0\r\n\r\n"], OK),
    "unanswered": (["ask", "eof"], OK),
    "broken": (["ask", OK, "eof"], OK),
}
# The state that follows; "!": and the connection is closed at once, by us.
DEEDS = rows("""
            is          ask    more     garbage      eof         reset       abort
new         IDLE        ASKED  SPENT!   SPENT!       SPENT       SPENT       SPENT!
idle        IDLE        ASKED  SPENT!   SPENT!       SPENT       SPENT       SPENT!
asked       ASKED       -      IDLE     BROKEN!      UNANSWERED  UNANSWERED  UNANSWERED!
asked_head  ASKED       -      SPENT    BROKEN!      UNANSWERED  UNANSWERED  UNANSWERED!
head        HEAD        -      SPENT    BROKEN!      BROKEN      BROKEN      BROKEN!
1xx         HEAD        -      IDLE     BROKEN!      BROKEN      BROKEN      BROKEN!
body        BODY        -      IDLE     BROKEN!      BROKEN      BROKEN      BROKEN!
to_close    BODY        -      BODY     BODY         SPENT       BROKEN      BROKEN!
spent       SPENT       -      SPENT!   SPENT!       SPENT       SPENT       SPENT!
unanswered  UNANSWERED  -      UNANSWERED!  UNANSWERED!  UNANSWERED  UNANSWERED  UNANSWERED!
broken      BROKEN      -      BROKEN!  BROKEN!      BROKEN      BROKEN      BROKEN!
""")


def do(wire: Wire, deed: str | bytes) -> None:
    """One deed of the pool's or the provider's."""
    if isinstance(deed, bytes):
        wire.data_received(deed)
    elif deed.startswith("ask"):
        wire.ask(b"head", b"", bodiless=deed == "ask HEAD")
    elif deed == "eof":
        wire.eof_received()
    elif deed == "reset":
        wire.connection_lost(ConnectionResetError())
    elif deed == "abort":
        wire.abort()


@pytest.mark.parametrize(("start", "deed"), DEEDS)
def test_every_deed_on_every_wire_has_its_end(start, deed):
    """With the bytes of a provider: what they make of a wire is what the table says."""
    before, more = STARTS[start]
    deeds = {"is": b"", "more": more, "garbage": b"\x16\x03\x01\r\n"}
    follows = DEEDS[start, deed]

    async def go():
        wire, line = Wire(), Line()
        wire.connection_made(line)
        for each in before:
            do(wire, each)
        if deed == "is":
            return wire.state.name, line.open
        if follows == "-":
            with pytest.raises(UpstreamBroken):
                do(wire, deed)
            return "-", line.written == [b"head"]
        do(wire, deeds.get(deed, deed))
        return wire.state.name, line.open

    assert asyncio.run(go()) == (follows.rstrip("!"), not follows.endswith("!"))


def test_a_connection_that_closes_is_not_asked():
    """Though nobody has said yet that it is closed: it may never be."""

    async def go():
        wire, line = Wire(), Line()
        wire.connection_made(line)
        line.open = False
        with pytest.raises(UpstreamBroken):
            wire.ask(b"head", b"")
        return wire.state, line.written

    assert asyncio.run(go()) == (State.SPENT, [])


def reply_of(number: int, framing: str, size: int) -> tuple[bytes, bytes]:
    """A reply, and its body, each byte of which says whose it is."""
    body = bytes([97 + number % 26]) * size
    closing = b"Connection: close\r\n" if framing == "last" else b""
    how = "length" if framing in ("last", "HEAD") else framing
    raw = framed(how, body, [size // 2])
    if framing == "HEAD":
        return OK + raw.removesuffix(body), b""
    return OK + closing + raw, body


class Life:
    """A wire, the reply that its provider is sending, and what was taken of that."""

    def __init__(self):
        self.wire, self.line, self.number = Wire(), Line(), 0
        self.wire.connection_made(self.line)
        self.coming, self.body, self.taken = b"", b"", b""
        self.framing = ""

    def ask(self, framing: str, size: int, upload: int) -> None:
        was, written = self.wire.state, len(self.line.written)
        may_follow = was is State.IDLE and self.line.open
        try:
            self.wire.ask(b"head", b"x" * upload, bodiless=framing == "HEAD")
        except UpstreamBroken:
            assert not may_follow
            assert len(self.line.written) == written
            return
        assert may_follow and self.framing in ("", "length", "chunked")
        self.number += 1
        self.coming, self.body = reply_of(self.number, framing, size)
        self.framing, self.taken = framing, b""

    def send(self, share: float) -> None:
        at = max(1, int(len(self.coming) * share))
        now, self.coming = self.coming[:at], self.coming[at:]
        if now and self.line.open:
            self.wire.data_received(now)

    def stray(self, raw: bytes) -> None:
        """What belongs to no reply."""
        if self.line.open and self.wire.whole:
            self.wire.data_received(raw)
            assert not self.line.open

    async def take(self) -> None:
        taking = asyncio.ensure_future(self.wire.chunk())
        await asyncio.sleep(0)
        if not taking.done():
            taking.cancel()
            return
        try:
            chunk = taking.result()
        except UpstreamBroken:
            assert self.wire.state in (State.UNANSWERED, State.BROKEN)
            return
        self.taken += chunk
        if not chunk:
            assert self.wire.whole
            assert self.taken == self.body or self.framing == "close"

    def rest(self) -> None:
        """What a pool does after a reply."""
        if self.wire.rest():
            assert self.wire.state is State.IDLE
            assert self.line.open and self.line.reading and not self.coming
        else:
            self.wire.abort()
        self.body, self.taken = b"", b""  # what nobody has taken is let go

    async def live(self, deed: str, *how) -> None:
        """Do it, and look whether all still holds."""
        before = self.wire.state
        if deed in ("eof", "reset", "abort"):
            if self.line.open:
                do(self.wire, deed)
                self.line.open = False
        elif deed == "take":
            await self.take()
        else:
            getattr(self, deed)(*how)
        after = self.wire.state
        if before in (State.SPENT, State.UNANSWERED, State.BROKEN):
            assert after is before
        if not self.line.open:
            assert after in (State.SPENT, State.UNANSWERED, State.BROKEN)
        assert self.body.startswith(self.taken)


calm = st.one_of(
    st.tuples(
        st.just("ask"),
        st.sampled_from("length chunked length chunked close last HEAD".split()),
        st.sampled_from([0, 1, 9, 300_000]),
        st.sampled_from([0, 0, 200_000]),
    ),
    st.tuples(st.just("send"), st.sampled_from([0.1, 0.5, 1.0, 1.0])),
    st.tuples(st.sampled_from(["take", "rest"])),
)
rough = st.one_of(
    st.tuples(st.just("stray"), st.sampled_from([OK, b"!", b"\r\n" + OK])),
    st.tuples(st.sampled_from(["eof", "reset", "abort"])),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(calm, max_size=20), st.lists(calm | rough, max_size=6))
def test_whatever_happens_no_reply_has_a_byte_of_another(first, then):
    """And a wire that ended stays ended, is not asked, and does not rest."""

    async def go():
        one = Life()
        for deed in [*first, *then]:
            await one.live(*deed)

    asyncio.run(go())

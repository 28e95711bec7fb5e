"""A reply is read the same however it is cut, and what is no reply is none."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.proxy.engine.connection import Wire

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

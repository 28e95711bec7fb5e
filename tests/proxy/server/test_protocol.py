"""One request at a time, within bounds of bytes and time."""

import asyncio
import socket
import threading
import time

import pytest

from lectr_lab.proxy.server.departure import Departure
from lectr_lab.proxy.server.whole_reply import send_whole

GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
CHUNKED = b"POST /%b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


def test_pipelined_requests_are_answered_in_order(serve, until):
    """Each with its own body, whatever its framing, in one piece or byte by byte."""
    sent = GET % b"1" + POST % (b"2", 3) + b"abc" + CHUNKED % b"3"
    sent += b"2\r\n\r\n\r\n4\r\n0\r\n\r\r\n0\r\nx-sum: 1\r\n\r\n" + GET % b"4"
    dial = serve()
    for size in (len(sent), 100, 1):
        sock = dial()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), size):
            sock.sendall(sent[at : at + size])

        got = until(sock, b"</4 0>")

        said = [part.partition(b">")[0] for part in got.split(b"<")[1:]]
        assert said == [b"/1 0", b"/2 3", b"/3 6", b"/4 0"]


def test_the_next_request_begins_when_the_last_is_answered(serve, until):
    """Not before, and what is behind it is neither lost nor read without end."""
    running, most, go_on = [], [], threading.Event()

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        running.append(scope["raw_path"])
        most.append(len(running))
        if scope["raw_path"] == b"/0":
            await asyncio.to_thread(go_on.wait, 30)
        await send_whole(send, 200, [(b"content-length", b"1")], b"!")
        running.remove(scope["raw_path"])

    sock = serve(app)()
    count = 20_000
    sent = b"".join(GET % b"%d" % n for n in range(count))
    threading.Thread(target=sock.sendall, args=(sent,), daemon=True).start()
    time.sleep(0.2)  # more makes the test no better, less makes it no false alarm
    go_on.set()
    got = b""
    while got.count(b"!") < count:
        data = sock.recv(65536)
        assert data
        got += data

    assert max(most) == 1


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        (b"1.1", 1, b"200"),
        (b"1.1", 0, b"400"),
        (b"1.1", 2, b"400"),
        (b"1.0", 0, b"200"),
        (b"1.0", 1, b"200"),
        (b"1.0", 2, b"400"),
    ],
)
def test_a_request_has_one_host_line(serve, all_of, version, hosts, status):
    """RFC 9112, 3.2; before HTTP/1.1 it may have none."""
    sock = serve()()
    lines = b"connection: close\r\n" + b"host: x\r\n" * hosts
    sock.sendall(b"GET / HTTP/%b\r\n%b\r\n" % (version, lines))

    got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 %b " % status)
    assert (b'"code":"bad_request"' in got) is (status == b"400")


@pytest.mark.parametrize(
    "lines",
    [
        b"transfer-encoding: identity\r\ncontent-length: 2\r\n",
        b"content-length: 2\r\ntransfer-encoding: identity\r\n",
        b"transfer-encoding: identity\r\n",
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n",
        b"content-length: 2\r\ncontent-length: 2\r\n",
    ],
)
def test_a_framing_in_doubt_is_refused(serve, all_of, lines):
    """400, and nobody waits for an end that does not come."""
    sock = serve()()
    sock.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n" + lines + b"\r\nab")

    assert all_of(sock).startswith(b"HTTP/1.1 400 ")


def test_a_trailer_is_no_header(serve, until):
    """An application sees what came before the body."""
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            while (await receive())["more_body"]:
                pass
            seen.extend(name for name, _ in scope["headers"])
            await send_whole(send, 200, [(b"content-length", b"1")], b"!")

    sock = serve(app)()
    sock.sendall(CHUNKED % b"" + b"0\r\nx-lectr-key: other\r\n\r\n")

    until(sock, b"!")

    assert seen == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize("place", ["head", "trailer"])
@pytest.mark.parametrize(("fields", "is_read"), [(3, True), (9, False)])
def test_fields_are_counted(serve, all_of, place, fields, is_read):
    """Those of a trailer too: over the limit is 431, by its own name."""
    lines = b"x: 1\r\n" * fields
    close = b"connection: close\r\n"
    head = GET[:-2] + close + lines + b"\r\n"
    trailer = CHUNKED[:-2] + close + b"\r\n0\r\n" + lines + b"\r\n"
    sock = serve(head_fields=8)()

    sock.sendall({"head": head, "trailer": trailer}[place] % b"")
    got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 200 " if is_read else b"HTTP/1.1 431 ")
    assert is_read or (b'"code":"head_too_large"' in got and b"the 8 lines" in got)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"request_line_bytes": 100}, b"request_line_too_long"),
        ({"head_bytes": 100}, b"head_too_large"),
    ],
)
def test_limits_are_as_configured(serve, all_of, limits, code):
    """And the refusal says what they are, and where to raise them."""
    sock = serve(**limits)()
    sock.sendall(GET % (b"a" * 120))

    got = all_of(sock)

    assert b'"code":"' + code in got
    assert b"the 100 bytes" in got
    assert next(iter(limits)).encode() + b" " in got


# Time


@pytest.mark.parametrize(
    "begun", [b"", b"\r\n", GET % b"" + b"\r\n"], ids=["new", "an empty line", "used"]
)
def test_an_idle_connection_is_closed(serve, all_of, begun):
    """Without a word, whether it was used or never."""
    sock = serve(head_timeout_s=0.3, keep_alive_s=0.3)()
    sock.sendall(begun)

    got = all_of(sock)

    assert got.count(b"HTTP/1.1 ") == begun.count(b"GET")


@pytest.mark.parametrize("begun", [b"G", GET[:-2] % b"", GET % b"" + GET[:-5] % b""])
def test_half_a_head_is_a_408(serve, all_of, begun):
    """By its own name, on a new connection or a used one."""
    sock = serve(head_timeout_s=0.3)()
    sock.sendall(begun)

    got = all_of(sock)

    assert b'"code":"request_timeout"' in got
    assert b"\r\nconnection: close" in got
    assert b"HTTP/1.1 408 " in got


@pytest.mark.parametrize("begun", [POST % (b"", 5) + b"ab", CHUNKED % b"" + b"1\r\n"])
def test_half_a_body_is_a_408(serve, all_of, begun):
    """The application is told; the connection ends."""
    sock = serve(body_timeout_s=0.3)()
    sock.sendall(begun)

    got = all_of(sock)

    assert got.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close" in got


@pytest.mark.slow
def test_who_goes_on_sending_is_waited_for(serve, until):
    """A body may take longer than the time between two of its pieces, and an answer
    longer than any of the times."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        while (await receive())["more_body"]:
            pass
        await asyncio.sleep(5)
        await send_whole(send, 200, [(b"content-length", b"1")], b"!")

    times = {"head_timeout_s": 4.0, "body_timeout_s": 4.0, "keep_alive_s": 4.0}
    sock = serve(app, **times)()
    sock.sendall(POST % (b"", 12))
    for _ in range(12):
        time.sleep(0.4)
        sock.sendall(b"a")

    assert until(sock, b"!").startswith(b"HTTP/1.1 200 ")


@pytest.mark.slow
def test_a_reply_that_is_still_taken_is_no_idle_connection(serve):
    """However slowly, and longer than connections are kept."""
    size = 30_000_000

    async def app(scope, receive, send):
        if scope["type"] == "http":
            body = b"a" * size
            await send_whole(send, 200, [(b"content-length", b"%d" % size)], body)

    sock = serve(app, keep_alive_s=2.0, head_timeout_s=2.0)()
    sock.sendall(GET % b"")
    got = 0
    while got < size:
        data = sock.recv(2_000_000)
        assert data, f"cut off after {got} bytes"
        got += len(data)
        time.sleep(0.3 if got < 20_000_000 else 0)


# Who leaves


@pytest.mark.parametrize("behind", [0, 1, 4000])
def test_the_running_request_is_told_that_its_client_left(serve, behind):
    """Whatever the client sent behind it, though some of 120 KB is read by nobody."""
    asked, left, paths = threading.Event(), threading.Event(), []

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        paths.append(scope["raw_path"])
        departure = Departure(scope, receive)
        asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            left.set()
        finally:
            departure.over()

    sock = serve(app)()
    sock.sendall(GET % b"1" + GET % b"2" * behind)
    assert asked.wait(30)
    sock.close()

    assert left.wait(30)
    assert paths == [b"/1"]


# How many there may be


def test_one_too_many_is_turned_away(serve, all_of, until):
    """By its own name while all others are at work; then there is room again."""
    at_work, go_on = threading.Semaphore(0), threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            at_work.release()
            await asyncio.to_thread(go_on.wait, 60)
            await send_whole(send, 200, [(b"content-length", b"1")], b"!")

    dial = serve(app, connections=2)
    busy = [dial(), dial()]
    for sock in busy:
        sock.sendall(GET % b"")
        assert at_work.acquire(timeout=30)

    for _ in range(40):
        got = all_of(dial())
        assert got.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"too_many_connections"' in got
        assert b"\r\nretry-after: 1\r\n" in got
        assert b"\r\nconnection: close\r\n" in got

    go_on.set()
    assert [until(sock, b"!")[-1:] for sock in busy] == [b"!", b"!"]
    late = dial()
    late.sendall(GET % b"")
    assert until(late, b"!").endswith(b"!")

"""Our server with an application of the test's own, and bare sockets to it."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.core.error_responses import MISSING_LECTR_KEY, REQUEST_TIMEOUT
from lectr_lab.proxy.server.body import ClientGone, TooLate, read_body
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.proxy.server.whole_reply import send_whole

PATIENCE_S = 30.0
Dial = Callable[[], socket.socket]


async def echo(scope, receive, send) -> None:
    """Says path and body; under /refused, 401 without a look at the body."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/refused":
        refusal = MISSING_LECTR_KEY
        return await send_whole(send, 401, refusal.head(), refusal.body())
    try:
        body = await read_body(scope, receive, 100_000_000)
    except ClientGone:
        return
    except TooLate:
        refusal = REQUEST_TIMEOUT
        return await send_whole(send, 408, refusal.head(), refusal.body())
    said = b"<%s %d>" % (scope["raw_path"], len(body))
    length = [(b"content-length", b"%d" % len(said))]
    await send_whole(send, 200, length, said)


@pytest.fixture
def serve() -> Iterator[Callable[..., Dial]]:
    """Serve an application within limits; gives what connects to it."""
    with contextlib.ExitStack() as stack:

        def start(app=echo, **limits) -> Dial:
            limited = LimitSettings(**limits)
            url = stack.enter_context(in_thread(app, limits=limited))
            address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))

            def dial() -> socket.socket:
                sock = socket.create_connection(address, timeout=PATIENCE_S)
                return stack.enter_context(sock)

            return dial

        yield start


@pytest.fixture
def all_of() -> Callable[[socket.socket], bytes]:
    """Everything until the other side closes, which is no reset."""

    def read(sock: socket.socket) -> bytes:
        got = b""
        while data := sock.recv(65536):
            got += data
        return got

    return read


@pytest.fixture
def until() -> Callable[[socket.socket, bytes], bytes]:
    """What comes until it ends with these bytes, or the other side closes."""

    def read(sock: socket.socket, end: bytes) -> bytes:
        got = b""
        while not got.endswith(end) and (data := sock.recv(65536)):
            got += data
        return got

    return read

"""A request begins as uvicorn would have begun it."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.protocol import ServerProtocol
from lectr_lab.proxy.server.run import _config

METHODS = st.sampled_from(["GET", "POST", "DELETE", "OPTIONS", "HEAD"])
PATHS = st.text("ab/%2fC~;:@._-é\"'", max_size=12)
QUERIES = st.sampled_from(["", "?", "?a=b", "?a=%20&b", "#f", "?q#f"])
FIELDS = st.sampled_from(
    [
        "",
        "Connection: close\r\n",
        "connection: keep-alive\r\n",
        "Expect: 100-continue\r\n",
        "X-A: b\r\nx-a: c\r\n",
        "cookie: d; e\r\n",
    ]
)
VERSIONS = st.sampled_from(["1.1", "1.0"])


class Transport(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


async def begun(kind, request: bytes):
    """The scope that an application gets, and what it knows of the connection."""
    seen = []

    async def app(scope, receive, send):
        cycle = receive.__self__
        of_cycle = (cycle.keep_alive, cycle.waiting_for_100_continue)
        ours = {k: v for k, v in scope.items() if k not in ("state", "asgi")}
        seen.append((ours, of_cycle))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = _config(app, None, LimitSettings())
    protocol = kind(config=config, server_state=ServerState(), app_state={})
    transport = Transport()
    protocol.connection_made(transport)
    protocol.data_received(request)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    protocol.connection_lost(None)
    return seen


def ours(**of_uvicorn):
    """Our protocol."""
    return ServerProtocol(Crowd(LimitSettings()), **of_uvicorn)


@settings(deadline=None)
@given(METHODS, PATHS, QUERIES, VERSIONS, FIELDS)
def test_an_application_sees_what_uvicorn_shows_it(method, path, query, version, lines):
    """All of a scope but its `state`, and whether the connection is kept."""
    head = f"{method} /{path}{query} HTTP/{version}\r\nhost: x\r\n{lines}\r\n"
    request = head.encode("latin-1")

    ours_saw = asyncio.run(begun(ours, request))
    uvicorn_saw = asyncio.run(begun(HttpToolsProtocol, request))

    assert ours_saw == uvicorn_saw


def test_its_task_is_the_one_that_answers():
    """And is known before it begins."""
    told = []

    async def app(scope, receive, send):
        told.append(scope["state"]["lectr_client"].task is asyncio.current_task())

    async def ask():
        config = _config(app, None, LimitSettings())
        protocol = ours(config=config, server_state=ServerState(), app_state={})
        protocol.connection_made(Transport())
        protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.gather(*protocol.tasks)

    asyncio.run(ask())

    assert told == [True]

"""How a request's work begins: as uvicorn does it, less what our settings never ask of it.

Those are its root path, its own limit of concurrency, a queue of requests, an upgrade to
web sockets and contexts that are reset: a fiftieth of all our work on a request.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lectr_lab.proxy.server.departure import CLIENT, Client
from lectr_lab.proxy.server.known_heads import Again


def begin(protocol: HttpToolsProtocol) -> asyncio.Task[Any]:
    """Have the application answer the request whose head is here.

    Args:
        protocol: its connection, inside the parser's `on_headers_complete`; it is given
            the request's `cycle`, and its `scope` what is known by now.

    Returns:
        The task that answers, which has not begun.

    Raises:
        httptools.HttpParserInvalidURLError: the target is none. So are other errors of
            its text: the parser stops at them.
    """
    scope: Any = protocol.scope
    parser: Any = protocol.parser
    version = parser.get_http_version()
    if version != "1.1":
        scope["http_version"] = version
    scope["method"] = parser.get_method().decode("ascii")
    url = httptools.parse_url(protocol.url)
    path = url.path.decode("ascii")
    scope["path"] = unquote(path) if "%" in path else path
    scope["raw_path"] = url.path
    scope["query_string"] = url.query or b""
    return _begun(protocol, version != "1.0" and parser.should_keep_alive())


def begin_again(
    protocol: HttpToolsProtocol, again: Again, data: bytes | bytearray | None
) -> Client:
    """The same for a request whose head came before.

    Args:
        protocol: its connection, on which no request is being answered or read.
        again: where it lies, and what was said of its head.
        data: has all of it; None: its body comes later, piece by piece.

    Returns:
        Its client, who is in its `state`.
    """
    head, client = again.head, Client()
    protocol.headers = head.headers(again.length)
    scope: Any = {
        "type": "http",
        "asgi": {"version": protocol.asgi_version, "spec_version": "2.3"},
        "http_version": "1.1",
        "server": protocol.server,
        "client": protocol.client,
        "scheme": protocol.scheme,
        "root_path": protocol.root_path,
        "headers": protocol.headers,
        "state": protocol.app_state.copy(),
        **head.parts,
    }
    protocol.url, protocol.scope = head.url, scope
    protocol.expect_100_continue = False
    scope["state"][CLIENT] = client
    client.known, client.task = head, _begun(protocol, keep_alive=True)
    if data is not None:
        cycle: Any = protocol.cycle
        cycle.body = bytes(memoryview(data)[again.body_at : again.end])
        cycle.more_body = False
        cycle.message_event.set()
    return client


def _begun(protocol: HttpToolsProtocol, keep_alive: bool) -> asyncio.Task[Any]:
    cycle: Any = RequestResponseCycle(
        scope=protocol.scope,
        transport=protocol.transport,
        flow=protocol.flow,
        logger=protocol.logger,
        access_logger=protocol.access_logger,
        access_log=False,
        default_headers=protocol.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=protocol.expect_100_continue,
        keep_alive=keep_alive,
        on_response=protocol.on_response_complete,
    )
    protocol.cycle = cycle
    task = protocol.loop.create_task(_answered(cycle, protocol.app, protocol.tasks))
    cycle.task = task
    protocol.tasks.add(task)
    return task


async def _answered(cycle: Any, app: Any, tasks: set[asyncio.Task[None]]) -> None:
    """uvicorn's `run_asgi`, less a log that is written nowhere. The task leaves the
    server's by itself: to be called back takes more than to be made."""
    try:
        await app(cycle.scope, cycle.receive, cycle.send)
    except BaseException:  # noqa: BLE001 - whatever it is, its client is not to hang
        await _broken_off(cycle)
    else:
        if not (cycle.response_complete or cycle.disconnected):
            await _broken_off(cycle)
    finally:
        cycle.on_response = _nothing
        tasks.discard(cycle.task)


async def _broken_off(cycle: RequestResponseCycle) -> None:
    if cycle.response_started:
        cycle.transport.close()
    else:
        await cycle.send_500_response()


def _nothing() -> None:
    """The reply was over before."""

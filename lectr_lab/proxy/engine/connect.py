"""Connections to where a URL points: names, addresses, TLS, and a proxy on the way."""

import asyncio
import base64
import socket
import ssl
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from itertools import chain, zip_longest
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from lectr_lab.core.errors import UpstreamBroken, UpstreamUnreachable
from lectr_lab.proxy.engine.connection import Wire

# RFC 8305, 5: how long one address has before the next is tried beside it.
_NEXT_ADDRESS_S = 0.25
_Attempt: TypeAlias = Callable[[], Coroutine[Any, Any, Wire]]


class Origin(NamedTuple):
    """Scheme, host and port of a URL; `netloc` is how it writes the last two."""

    tls: bool
    host: str
    port: int
    netloc: bytes


class HttpProxy(NamedTuple):
    """A proxy on the way. Holds a password: never shown."""

    origin: Origin
    authorization: bytes  # a header line, or nothing


def origin_of(url: str) -> Origin:
    """Where a URL points.

    Raises:
        UpstreamUnreachable: nowhere.

    >>> origin_of("https://api.openai.com/v1/models")
    Origin(tls=True, host='api.openai.com', port=443, netloc=b'api.openai.com')
    """
    try:
        parts = urlsplit(url)
        tls = {"http": False, "https": True}[parts.scheme]
        netloc = parts.netloc.rpartition("@")[2].encode("idna")
        port = parts.port or (443 if tls else 80)
        return Origin(tls, parts.hostname or "", port, netloc)
    except (KeyError, ValueError):
        raise UpstreamUnreachable("not the address of a server") from None


def proxy_of(url: str) -> HttpProxy:
    """A proxy from its URL, which may hold a name and a password.

    >>> proxy_of("http://me:word@localhost:3128").authorization
    b'Proxy-Authorization: Basic bWU6d29yZA==\\r\\n'
    """
    parts, line = urlsplit(url), b""
    if parts.username is not None:
        who = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        secret = base64.b64encode(who.encode())
        line = b"Proxy-Authorization: Basic " + secret + b"\r\n"
    return HttpProxy(origin_of(url), line)


async def dial(
    to: Origin, tls: ssl.SSLContext, proxy: HttpProxy | None, timeout_s: float
) -> Wire:
    """Connect, TLS and the way through a proxy included.

    Args:
        to: where the connection ends.
        tls: how certificates are checked.
        proxy: asked to tunnel where `to` speaks TLS, and else to pass requests on.
        timeout_s: how long it may take in all.

    Raises:
        UpstreamUnreachable: there is no connection.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if proxy is None:
                return await _connect(to, tls)
            wire = await _connect(proxy.origin, tls)
            return await _tunnel(wire, to, tls, proxy) if to.tls else wire
    except (OSError, ValueError, UpstreamBroken):  # TimeoutError is an OSError
        raise UpstreamUnreachable("no connection to the provider") from None


async def _tunnel(
    wire: Wire, to: Origin, tls: ssl.SSLContext, proxy: HttpProxy
) -> Wire:
    """Ask a proxy for a connection of bytes, and speak TLS inside it."""
    host = f"[{to.host}]" if ":" in to.host else to.host
    there = f"{host}:{to.port}".encode("idna")
    head = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n"
    try:
        wire.ask(head % (there, there, proxy.authorization), b"", bodiless=True)
        await wire.head()
        if not 200 <= wire.status < 300 or wire.transport.is_closing():
            raise UpstreamUnreachable("the proxy on the way refuses")
        inside = Wire()
        inside.connection_made(wire.transport)  # should it end before TLS is there
        transport = await asyncio.get_running_loop().start_tls(
            wire.transport, inside, tls, server_hostname=to.host
        )
        assert transport is not None
        inside.connection_made(transport)
        return inside
    except BaseException:
        wire.abort()
        raise


async def _connect(to: Origin, tls: ssl.SSLContext) -> Wire:
    """Whichever address of a name answers first, its two families in turn."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    v6 = [str(to[0]) for family, *_, to in found if family == socket.AF_INET6]
    v4 = [str(to[0]) for family, *_, to in found if family == socket.AF_INET]
    in_turn = chain.from_iterable(zip_longest(v6, v4))
    return await _first([partial(_open, each, to, tls) for each in in_turn if each])


async def _open(address: str, to: Origin, tls: ssl.SSLContext) -> Wire:
    _, wire = await asyncio.get_running_loop().create_connection(
        Wire,
        address,
        to.port,
        ssl=tls if to.tls else None,
        server_hostname=to.host if to.tls else None,
    )
    return wire


async def _first(attempts: Iterable[_Attempt]) -> Wire:
    """The first to succeed; each begins where the one before has failed, or is slow."""
    todo, begun = deque(attempts), list[asyncio.Task[Wire]]()
    won: Wire | None = None
    try:
        while todo or any(not task.done() for task in begun):
            if todo:
                begun.append(asyncio.create_task(todo.popleft()()))
            done, _ = await asyncio.wait(
                [task for task in begun if not task.done()],
                timeout=_NEXT_ADDRESS_S if todo else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                if task.exception() is None:
                    won = task.result()
                    return won
        raise OSError("no address answers")
    finally:
        for task in begun:
            task.cancel()
            task.add_done_callback(partial(_drop, won))


def _drop(won: Wire | None, task: asyncio.Task[Wire]) -> None:
    """Two may have succeeded at once."""
    if not task.cancelled() and task.exception() is None and task.result() is not won:
        task.result().abort()

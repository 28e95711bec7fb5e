"""The engine towards providers: a request on a connection that waits, or on a new one."""

import asyncio
import ssl
from collections import deque
from collections.abc import Hashable
from typing import NamedTuple

from lectr_lab.core.engine import Reply
from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.core.headers import RawHeaders
from lectr_lab.proxy.engine.connect import HttpProxy, Origin, dial, origin_of, proxy_of
from lectr_lab.proxy.engine.connection import UNANSWERED, Wire

IDLE_S = 15.0  # shorter than most providers keep a connection, longer than a pause

_MOST_KNOWN = 256  # heads, on each way
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
# RFC 9110, 9.2.2: asked twice, they do what they do once.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class Way(NamedTuple):
    """How requests to one scheme, host and port are written, and who waits to be asked."""

    origin: Origin
    target: str  # what stands before a path in the request's line
    lines: bytes  # what follows it, and the first headers
    waiting: deque[tuple[Wire, float]]  # and since when
    known: dict[Hashable, bytes]  # what heads that come again begin with


class Pool:
    """Connections by where they lead, as many as there are requests at once."""

    def __init__(
        self, tls: ssl.SSLContext, connect_timeout_s: float, http_proxy: str | None
    ) -> None:
        self._tls, self._timeout_s = tls, connect_timeout_s
        self._proxy = proxy_of(http_proxy) if http_proxy else None
        self._loop = asyncio.get_running_loop()
        self._ways: dict[str, Way] = {}  # settings name them, so they are few
        self._sweeping: asyncio.TimerHandle | None = None

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        """Ask, and return at the reply's head. Raises UpstreamError.

        A connection that waited may be closed by its provider just as it is asked. Then
        only what may be asked twice is, on a new one: of a POST nobody can say whether
        its answer was begun, and billed. So do aiohttp, Go and nginx.
        """
        scheme, _, netloc, path = url.split("/", 3)
        way = self._ways.get(scheme + netloc) or self._add_way(scheme, netloc)
        head = _head(method, path, way, headers, body)
        wire = self._take(way)
        if wire is not None:
            try:
                return await self._ask(wire, way, head, body, method == "HEAD")
            except UpstreamBroken:
                if wire.state is not UNANSWERED or method not in _IDEMPOTENT:
                    raise
        wire = await dial(way.origin, self._tls, self._proxy, self._timeout_s)
        return await self._ask(wire, way, head, body, method == "HEAD")

    async def _ask(
        self, wire: Wire, way: Way, head: bytes, body: bytes, bodiless: bool
    ) -> Reply:
        try:
            wire.ask(head, body, bodiless=bodiless)
            await wire.head()
        except BaseException:  # a request that is given up, too
            wire.abort()
            raise
        return _Reply(wire, way, self)

    def _add_way(self, scheme: str, netloc: str) -> Way:
        way = _way(origin_of(f"{scheme}//{netloc}/"), self._proxy)
        return self._ways.setdefault(scheme + netloc, way)

    def _take(self, way: Way) -> Wire | None:
        """The connection that was used last, unless it waited for too long."""
        oldest_s = self._loop.time() - IDLE_S
        while way.waiting:
            wire, since_s = way.waiting.pop()
            if since_s >= oldest_s and wire.rest() and not wire.stirs():
                return wire
            wire.abort()
        return None

    def give_back(self, wire: Wire, way: Way) -> None:
        """A reply is over: its connection waits for another request, or is closed."""
        if not wire.rest():
            wire.abort()
            return
        way.waiting.append((wire, self._loop.time()))
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(IDLE_S, self._sweep)

    def _sweep(self) -> None:
        """Close what has waited for too long; the oldest of each way comes first."""
        oldest_s = self._loop.time() - IDLE_S
        for way in self._ways.values():
            while way.waiting and way.waiting[0][1] <= oldest_s:
                way.waiting.popleft()[0].abort()
        again = any(way.waiting for way in self._ways.values())
        later = self._loop.call_later
        self._sweeping = later(IDLE_S, self._sweep) if again else None

    async def aclose(self) -> None:
        """Close every connection that waits."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for way in self._ways.values():
            while way.waiting:
                way.waiting.pop()[0].abort()
        await asyncio.sleep(0)  # in which they close


class _Reply:
    """A reply on its connection, which is given back once."""

    def __init__(self, wire: Wire, way: Way, pool: Pool) -> None:
        self.status, self.headers = wire.status, wire.headers
        self._wire: Wire | None = wire
        self._way, self._pool = way, pool

    def __aiter__(self) -> "_Reply":
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._wire.chunk() if self._wire else b""
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def whole_body(self) -> bytes:
        return self._wire.whole_body() if self._wire else b""

    async def aclose(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._pool.give_back(wire, self._way)


def _way(origin: Origin, proxy: HttpProxy | None) -> Way:
    target, lines = "/", b" HTTP/1.1\r\nHost: " + origin.netloc + b"\r\n"
    if proxy is not None and not origin.tls:  # RFC 9112, 3.2.2: the whole URL
        target = f"http://{origin.netloc.decode()}/"
        lines += proxy.authorization
    return Way(origin, target, lines, deque(), {})


def _head(method: str, path: str, way: Way, headers: RawHeaders, body: bytes) -> bytes:
    """A request's head: host and length are the engine's, all else is as given.

    Headers that are a tuple come again, and are put together once.
    """
    begin, of = None, (method, path, headers)
    comes_again = type(headers) is tuple
    if comes_again:
        begin = way.known.get(of)
    if begin is None:
        begin = _without_length(method, path, way, headers)
        if comes_again:
            if len(way.known) >= _MOST_KNOWN:
                way.known.clear()
            way.known[of] = begin
    if body or method in BODY_METHODS:
        return b"%bContent-Length: %d\r\n\r\n" % (begin, len(body))
    return begin + b"\r\n"


def _without_length(method: str, path: str, way: Way, headers: RawHeaders) -> bytes:
    line = f"{method} {way.target}{path}".encode("latin-1")
    parts: list[bytes] = []
    for name, value in headers:
        parts += (name, b": ", value, b"\r\n")
    fields = b"".join(parts)
    lines = (fields.count(b"\r"), fields.count(b"\n"))
    if len(line.split()) != 2 or lines != (len(headers), len(headers)):
        raise UpstreamBroken("this would be more than one request")
    return b"".join((line, way.lines, fields))

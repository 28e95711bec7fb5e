"""One call to a provider: a small protocol of ours, and its two engines.

aiohttp is the default: it hands over the reply's headers as the bytes they were (case,
order and repeats), each chunk as it arrives, and does not touch path, encoding or
redirects. httpx's transport, called without the client above it, is the reference:
slower, equally exact, and another implementation for the fidelity tests to agree with.
"""

import asyncio
import io
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from lectr_lab.core.engine import Reply, Upstream
from lectr_lab.core.errors import UpstreamBroken, UpstreamUnreachable
from lectr_lab.core.headers import RawHeaders
from lectr_lab.proxy.settings import Settings

_MAX_HEADER_BYTES = 256 * 1024
_MAX_HEADERS = 10_000
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_LARGE_BODY_BYTES = 1024 * 1024


def open_upstream(settings: Settings) -> Upstream:
    """The engine named in the settings. Call it inside the event loop."""
    engines: dict[str, Callable[[Settings], Upstream]] = {
        "aiohttp": _AiohttpUpstream,
        "httpx": _HttpxUpstream,
    }
    return engines[settings.engine](settings)


class _AiohttpUpstream:
    def __init__(self, settings: Settings) -> None:
        import aiohttp  # one engine is loaded, not both
        from multidict import CIMultiDict
        from yarl import URL

        self._aiohttp, self._url, self._headers = aiohttp, URL, CIMultiDict
        self._proxy = settings.http_proxy
        connector = aiohttp.TCPConnector(limit=0, ssl=_tls(settings))
        connector._factory = partial(_protocol(), loop=asyncio.get_running_loop())
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=(
                "accept",
                "accept-encoding",
                "content-type",
                "user-agent",
            ),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.connect_timeout_s
            ),
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            max_headers=_MAX_HEADERS,
        )
        self._settings = settings
        self._exact: _HttpxUpstream | None = None  # for what aiohttp cannot write

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        aiohttp = self._aiohttp
        try:
            texts = [(name.decode(), value.decode()) for name, value in headers]
        except UnicodeDecodeError:  # aiohttp writes header text as UTF-8 alone
            self._exact = self._exact or _HttpxUpstream(self._settings)
            return await self._exact.send(method, url, headers, body)
        try:
            response = await self._session.request(
                method,
                self._url(url, encoded=True),
                headers=self._headers(texts),
                data=_aiohttp_body(method, body),
                allow_redirects=False,
                proxy=self._proxy,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise UpstreamUnreachable("no connection to the provider") from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise UpstreamBroken("the provider broke off before it answered") from None
        return _AiohttpReply(response, (aiohttp.ClientError, OSError))

    async def aclose(self) -> None:
        await self._session.close()
        if self._exact is not None:
            await self._exact.aclose()


def _protocol() -> Callable[..., Any]:
    """aiohttp's own, but for one fault of 3.14: after a malformed chunk inside a reply
    it closes the connection and leaves whoever reads the reply waiting for ever."""
    from aiohttp import ClientPayloadError
    from aiohttp.client_proto import ResponseHandler

    class Protocol(ResponseHandler):
        def set_exception(self, exc: Any, *cause: Any) -> None:
            payload = self._payload
            super().set_exception(exc, *cause)
            if payload is not None and not payload.is_eof():
                payload.set_exception(ClientPayloadError("a malformed body"))

    return Protocol


def _aiohttp_body(method: str, body: bytes) -> io.BytesIO | bytes | None:
    """Large ones piece by piece: aiohttp warns of bytes, which it writes at once."""
    if len(body) > _LARGE_BODY_BYTES:
        return io.BytesIO(body)
    return body if body or method in _BODY_METHODS else None


class _AiohttpReply:
    def __init__(self, response: Any, errors: tuple[type[Exception], ...]) -> None:
        self.status: int = response.status
        self.headers: RawHeaders = response.raw_headers
        self._response, self._errors = response, errors

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except self._errors:
            raise UpstreamBroken("the provider broke off inside its answer") from None

    async def aclose(self) -> None:
        self._response.close()  # a connection read to its end is already given back


class _HttpxUpstream:
    def __init__(self, settings: Settings) -> None:
        import httpx

        # Its debug lines hold headers, and would be written where a program logs all.
        logging.getLogger("httpcore").setLevel(logging.CRITICAL + 1)
        self._httpx = httpx
        self._timeout = {"connect": settings.connect_timeout_s}
        self._transport = httpx.AsyncHTTPTransport(
            verify=_tls(settings),
            proxy=settings.http_proxy,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        )

    async def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Reply:
        httpx = self._httpx
        # httpx tidies a path (`..`, `%2e`); "target" is sent as it is written here.
        target = url.split("/", 3)[3]
        try:
            response = await self._transport.handle_async_request(
                httpx.Request(
                    method,
                    url,
                    headers=list(headers),
                    content=body if body or method in _BODY_METHODS else None,
                    extensions={
                        "timeout": self._timeout,
                        "target": f"/{target}".encode("latin-1"),
                    },
                )
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise UpstreamUnreachable("no connection to the provider") from None
        except (httpx.TransportError, httpx.InvalidURL, OSError):
            raise UpstreamBroken("the provider broke off before it answered") from None
        return _HttpxReply(response, (httpx.TransportError, OSError))

    async def aclose(self) -> None:
        await self._transport.aclose()


class _HttpxReply:
    def __init__(self, response: Any, errors: tuple[type[Exception], ...]) -> None:
        self.status: int = response.status_code
        self.headers: RawHeaders = response.headers.raw
        self._response, self._errors = response, errors

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.stream:
                yield chunk
        except self._errors:
            raise UpstreamBroken("the provider broke off inside its answer") from None

    async def aclose(self) -> None:
        await self._response.aclose()


def _tls(settings: Settings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_bundle)

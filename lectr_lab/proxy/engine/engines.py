"""One call to a provider: the two engines there are for it.

`native` is the default (pool.py): it hands over the reply's headers as the bytes they
were (case, order and repeats), each chunk as it arrives, and does not touch path,
encoding or redirects. httpx's transport, called without the client above it, is the
reference: slower, equally exact, and another implementation for the tests to agree with.
"""

import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import Engine, Reply
from lectr_lab.core.errors import UpstreamBroken, UpstreamUnreachable
from lectr_lab.core.headers import RawHeaders
from lectr_lab.proxy.engine.connection import ends_with_its_connection, is_over
from lectr_lab.proxy.engine.pool import BODY_METHODS, Pool


def open_engine(settings: Settings) -> Engine:
    """The engine named in the settings. Call it inside the event loop."""
    if settings.engine == "httpx":
        return _HttpxUpstream(settings)
    return Pool(_tls(settings), settings.connect_timeout_s, settings.http_proxy)


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
                    content=body if body or method in BODY_METHODS else None,
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
        unframed = (
            method != "HEAD"
            and response.status_code not in (204, 304)
            and ends_with_its_connection(response.headers.raw)
        )
        return _HttpxReply(response, (httpx.TransportError, OSError), unframed)

    async def aclose(self) -> None:
        await self._transport.aclose()


class _HttpxReply:
    def __init__(
        self, response: Any, errors: tuple[type[Exception], ...], unframed: bool
    ) -> None:
        self.status: int = response.status_code
        self.headers: RawHeaders = response.headers.raw
        self._response, self._errors = response, errors
        connection = response.extensions["network_stream"]
        self._tls = connection.get_extra_info("ssl_object") if unframed else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.stream:
                yield chunk
        except self._errors:
            raise UpstreamBroken("the provider broke off inside its answer") from None
        if self._tls is not None and not is_over(self._tls):  # httpcore takes any end
            raise UpstreamBroken("the provider's connection was cut")

    async def aclose(self) -> None:
        await self._response.aclose()


def _tls(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_bundle)
    context.set_alpn_protocols(["http/1.1"])
    return context

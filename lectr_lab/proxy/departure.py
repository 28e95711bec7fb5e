"""A client that leaves while its reply is on the way: the request's task is cancelled.

ASGI tells it through `receive`, which takes a task to wait in, a fifteenth of all our
work on a request. Our own server tells it without one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lectr_lab.proxy.incoming import Receive, Scope

_CLIENT = "lectr_client"  # in a request's `state`
_BARE_QUERY = "lectr_bare_query"  # there too, where a target ends in a question mark


class Client:
    """One request's client, as the server knows it."""

    def __init__(self) -> None:
        self.gone = False
        self.on_leaving: Callable[[], object] | None = None

    def left(self) -> None:
        """Its connection is closed."""
        self.gone = True
        if self.on_leaving is not None:
            self.on_leaving()


class ServerProtocol(HttpToolsProtocol):
    """uvicorn's, which tells a request at once that its client has left."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["state"][_CLIENT] = Client()

    def on_headers_complete(self) -> None:
        """Its head is here; what answers it has not begun."""
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0" and self.cycle is not None:
            self.cycle.send = _without_chunks(self.cycle)  # type: ignore[method-assign, assignment]
        if self.url.endswith(b"?"):
            self.scope["state"][_BARE_QUERY] = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left, or was told to."""
        super().connection_lost(exc)
        if self.cycle is not None:
            self.cycle.scope["state"][_CLIENT].left()


def _without_chunks(cycle: RequestResponseCycle) -> Callable[[Any], Awaitable[None]]:
    """Who speaks HTTP/1.0 knows no chunks (RFC 9112, 6.1), and uvicorn sends them.

    A body of unknown length ends with the connection, then.
    """
    send, unframed = cycle.send, False

    async def send_on(message: Any) -> None:
        nonlocal unframed
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message["headers"]}
            unframed = b"content-length" not in names
            cycle.chunked_encoding = False if unframed else None
        elif unframed:
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    return send_on


def asks_nothing(scope: Scope) -> bool:
    """A target ends in its question mark. ASGI does not tell it: our own server does."""
    return _BARE_QUERY in scope.get("state", ())


class Departure:
    """Cancels a task when its client leaves, until `over`."""

    def __init__(self, scope: Scope, receive: Receive, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._watcher: asyncio.Task[None] | None = None
        self._client: Client | None = scope.get("state", {}).get(_CLIENT)
        self.noticed = False
        if self._client is None:  # another server
            self._watcher = asyncio.create_task(self._watch(receive))
        elif self._client.gone:
            self._notice()
        else:
            self._client.on_leaving = self._notice

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._notice()

    def _notice(self) -> None:
        self.noticed = True
        self._task.cancel()

    def over(self) -> None:
        """The reply is whole, or broken off: whether the client leaves is its own."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._client is not None:
            self._client.on_leaving = None

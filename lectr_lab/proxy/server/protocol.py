"""A client that leaves while its reply is on the way: the request's task is cancelled.

ASGI tells it through `receive`, which takes a task to wait in, a fifteenth of all our
work on a request. Our own server tells it without one.

The server also bounds what it reads of a head, whoever sends it, and passes over offers
to speak something else than HTTP/1.1.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.proxy.server.body import Receive, Scope
from lectr_lab.proxy.server.whole_reply import written

_MAX_TARGET_BYTES = 8 * 1024
_MAX_HEAD_BYTES = 64 * 1024
_FIELD_EXTRA_BYTES = 4  # a colon, a space and the line's end
_LINGER_S = 2.0
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
    """uvicorn's, which tells a request at once that its client has left, reads no more
    of a head than it should, and answers offers of other protocols in HTTP/1.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0  # of the target and the fields that are whole
        self._unnamed_bytes = 0  # taken since then: of a field, or of what is none
        self._refusal: Refusal | None = None  # why the parser was stopped
        self._refused = False
        self._offers: list[tuple[bytes, bytes]] = []

    def data_received(self, data: bytes) -> None:
        """Bytes are here. The parser holds an unfinished field, and its time for it is
        quadratic: pieces are small enough to stop in time."""
        self._unset_keepalive_if_required()
        whole = memoryview(data)
        starts = range(0, len(whole), _MAX_HEAD_BYTES)
        waiting = [whole[at : at + _MAX_HEAD_BYTES] for at in reversed(starts)]
        while waiting and not self._refused:
            waiting += self._parse(waiting.pop())

    def _parse(self, piece: memoryview) -> list[memoryview]:
        """What is to be parsed next, the first of it last."""
        self._unnamed_bytes += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as stopped:
            if self._is_offer():
                return [piece[stopped.args[0] :], memoryview(self._without_offer())]
        except httptools.HttpParserError:
            self._refuse(self._refusal or error_responses.BAD_REQUEST)
        else:
            if self._head_bytes + self._unnamed_bytes > _MAX_HEAD_BYTES:
                self._refuse(error_responses.HEAD_TOO_LARGE)
        return []

    def _is_offer(self) -> bool:
        """The request would rather be answered in another protocol. The parser then
        takes what follows for that protocol, its body too. (CONNECT offers nothing.)"""
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def _without_offer(self) -> bytes:
        """The head once more, for a new parser, as of a client that offers nothing."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        line = b"%s %s HTTP/%s\r\n" % (method, self.url, version.encode())
        self._offers = [field for field in self.headers if field[0] == b"upgrade"]
        fields = [b"%s: %s\r\n" % f for f in self.headers if f[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return b"".join([line, *fields, b"\r\n"])

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot be parsed, and listen to this client no more.

        Closing on unread bytes would be a reset, which destroys the answer on its way:
        what is still sent is read for a moment, and thrown away.
        """
        self._refused = True
        cycle = self.cycle
        if cycle is not None and not (cycle.response_complete or cycle.more_body):
            cycle.keep_alive = False  # its reply is finished first
            return
        if cycle is None or not cycle.response_started or cycle.response_complete:
            body = refusal.body()
            self.transport.write(written(refusal.status, refusal.head(), body, False))
        if cycle is not None and not cycle.response_complete:
            self.transport.close()  # its body is broken: whoever waits for it is told
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    def _counted(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        self._unnamed_bytes = 0
        if self._head_bytes > _MAX_HEAD_BYTES:
            self._stop(error_responses.HEAD_TOO_LARGE)

    def _stop(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise ValueError(refusal.code)  # which ends the parser's work

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self.scope["state"][_CLIENT] = Client()

    def on_url(self, url: bytes) -> None:
        """A piece of its target is here."""
        super().on_url(url)
        if len(self.url) > _MAX_TARGET_BYTES:
            self._stop(error_responses.REQUEST_LINE_TOO_LONG)
        self._counted(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of its head is here, or of its trailer."""
        super().on_header(name, value)
        self._counted(len(name) + len(value) + _FIELD_EXTRA_BYTES)

    def on_headers_complete(self) -> None:
        """Its head is here; what answers it has not begun."""
        if self._is_offer():
            return
        self.headers += self._offers
        self._offers = []
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0" and self.cycle is not None:
            self.cycle.send = _without_chunks(self.cycle)  # type: ignore[method-assign, assignment]
        if self.url.endswith(b"?"):
            self.scope["state"][_BARE_QUERY] = True

    def on_body(self, body: bytes) -> None:
        """A piece of its body is here."""
        self._unnamed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is here."""
        self._unnamed_bytes = 0
        if not self._is_offer():
            super().on_message_complete()

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

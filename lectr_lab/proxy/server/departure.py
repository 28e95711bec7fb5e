"""A client that leaves while its reply is on the way: the request's task is cancelled.

ASGI tells it through `receive`, which takes a task to wait in, a fifteenth of all our
work on a request. Our own server tells it without one.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Any

from lectr_lab.proxy.server.body import Receive, Scope
from lectr_lab.proxy.server.known_heads import KnownHead

CLIENT = "lectr_client"  # in a request's `state`


class Client:
    """One request's client, as the server knows it."""

    __slots__ = ("gone", "known", "on_leaving", "task", "vouch")

    def __init__(self) -> None:
        self.gone = False
        self.on_leaving: Callable[[], object] | None = None
        self.task: asyncio.Task[Any] | None = None  # which answers it
        self.known: KnownHead | None = None  # its head came before
        # Told that its key is known: this head may be known the next time.
        self.vouch: Callable[[], None] | None = None

    def left(self) -> None:
        """Its connection is closed."""
        self.gone = True
        if self.on_leaving is not None:
            self.on_leaving()


class Departure:
    """Cancels a request's task when its client leaves, until `over`."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._watcher: asyncio.Task[None] | None = None
        self._client = client_of(scope)
        task = self._client.task if self._client is not None else None
        # Our own server says which; to ask asyncio takes a hundredth of our work.
        self.task: asyncio.Task[Any] = task or _current_task()
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
        self.task.cancel()

    def over(self) -> None:
        """The reply is whole, or broken off: whether the client leaves is its own."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._client is not None:
            self._client.on_leaving = None


def client_of(scope: Scope) -> Client | None:
    """Who asks; None where another server tells nothing of it."""
    client: Client | None = scope.get("state", {}).get(CLIENT)
    return client


def has_left(transport: asyncio.Transport) -> bool:
    """The system says so, once all that was sent has come (Linux; others where the
    connection was reset)."""
    ends, socket = select.poll(), transport.get_extra_info("socket")
    ends.register(socket, getattr(select, "POLLRDHUP", 0))
    return bool(ends.poll(0))


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # an ASGI server runs each request in a task
    return task

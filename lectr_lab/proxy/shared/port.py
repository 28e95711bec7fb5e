"""What a worker knows of the others of its port, and asks its parent."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lectr_lab.core.prefix.compare import Change, Seen
from lectr_lab.proxy.shared.failures import Failures
from lectr_lab.proxy.shared.line import Line
from lectr_lab.proxy.shared.messages import (
    AllHealth,
    HealthTold,
    HealthWanted,
    Looked,
    Take,
    TellHealth,
    ToWorker,
    look,
)

_MOST_ASKED = 20_000
TOGETHER_S = 0.01  # questions about prompts wait for each other
_HEALTH_S = 2.0


class WorkerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a process one of a port's workers. Files are those it was started with.

    `listening` are the sockets of all places, `slot` is its own one's. `key` is that of
    the digests of prompts. A `quiet` one says nothing while it starts, as another has
    said it.
    """

    instance: str
    slot: int
    listening: tuple[int, ...]
    line: int
    memory: int
    key: bytes
    quiet: bool = False

    def __repr__(self) -> str:
        return f"WorkerOrder(slot={self.slot})"


class Port:
    """The others, as one worker sees them. Called inside the event loop.

    Args:
        order: what its parent told it.
    """

    def __init__(self, order: WorkerOrder) -> None:
        self.key = order.key
        self.failures = Failures(order.memory)
        self.how_it_is: Callable[[], Mapping[str, Any]] = dict
        self.take: Callable[[int, bool], object] = lambda slot, also: None
        self._sock = socket.socket(fileno=order.line)
        self._sock.setblocking(False)
        self._line = Line(ToWorker, self._told, self._gone)
        self._asked: dict[int, Callable[[Any], object]] = {}
        self._number = 0

    async def start(self) -> None:
        """The event loop runs."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._line, sock=self._sock)

    def stop(self) -> None:
        """Nothing is asked any more."""
        self._line.close()

    def look(
        self,
        session: tuple[str | None, ...],
        seen: Seen,
        then: Callable[[Change | None], object],
        *,
        is_session: bool,
    ) -> None:
        """Have a prompt compared with those before it, and remembered.

        Args:
            session: whose it is.
            seen: the prompt.
            then: called with the answer; None where there is none.
            is_session: `session` is one session; else, all that a key sent.
        """
        number = self._ask(then)
        if not number:
            then(None)
            return
        asked = look(number, session, seen, is_session=is_session)
        if not self._line.say(asked, TOGETHER_S):
            self._answer(number, None)

    async def health(self) -> AllHealth | None:
        """How all workers are, this one among them; None where nobody says so."""
        told: asyncio.Future[AllHealth | None]
        told = asyncio.get_running_loop().create_future()

        def then(health: AllHealth | None) -> None:
            if not told.done():
                told.set_result(health)

        number = self._ask(then)
        if number and not self._line.say(HealthWanted(number)):
            self._answer(number, None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEALTH_S if number else 0):
                return await told
        return None

    def _ask(self, then: Callable[[Any], object]) -> int:
        """The number of a question; 0 where too many are not answered."""
        if len(self._asked) >= _MOST_ASKED:
            return 0
        self._number += 1
        self._asked[self._number] = then
        return self._number

    def _answer(self, number: int, answer: Any) -> None:
        then = self._asked.pop(number, None)
        if then is not None:
            then(answer)

    def _told(self, message: ToWorker) -> None:
        if type(message) is Looked:
            self._answer(message.number, message.change)
        elif type(message) is AllHealth:
            self._answer(message.number, message)
        elif type(message) is TellHealth:
            self._line.say(HealthTold(message.number, dict(self.how_it_is())))
        elif type(message) is Take:
            self.take(message.slot, message.also)

    def _gone(self) -> None:
        asked, self._asked = self._asked, {}
        for then in asked.values():
            then(None)

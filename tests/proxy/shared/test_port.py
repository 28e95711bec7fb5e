"""What a worker asks its parent, and what it makes of the answers."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from lectr_lab.core.prefix.compare import Change, Seen
from lectr_lab.core.prefix.prompt import Prompt
from lectr_lab.proxy.shared import port as port_module
from lectr_lab.proxy.shared.failures import open_memory
from lectr_lab.proxy.shared.line import Line
from lectr_lab.proxy.shared.messages import (
    AllHealth,
    HealthTold,
    HealthWanted,
    Look,
    Looked,
    OneHealth,
    Take,
    TellHealth,
    ToParent,
)
from lectr_lab.proxy.shared.port import Port, WorkerOrder

PROMPT = Prompt(b"d" * 8, b"e" * 8, b"\0", 0, 0, (), b"")
SEEN = Seen(PROMPT, ("openai", "m"), None, 1.0, 2.0)


class Parent:
    """Its end of the line."""

    def __init__(self) -> None:
        self.told: list[ToParent] = []
        self.line = Line(ToParent, self._told)
        self.answers = True

    def _told(self, message: ToParent) -> None:
        self.told.append(message)
        if not self.answers:
            return
        if isinstance(message, Look):
            self.line.say(Looked(message.number, 3, 2, "tools", 1.5))
        elif isinstance(message, HealthWanted):
            one = OneHealth(1, "", False, {"in_flight": 2})
            self.line.say(AllHealth(message.number, [one], 4))


@asynccontextmanager
async def opened():
    """A worker's port and its parent."""
    ours, its = socket.socketpair()
    ours.setblocking(False)
    order = WorkerOrder(
        instance="i",
        slot=0,
        listening=(),
        line=its.detach(),
        memory=open_memory(),
        key=b"k" * 32,
    )
    port, parent = Port(order), Parent()
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: parent.line, sock=ours)
    await port.start()
    yield port, parent
    port.stop()
    parent.line.close()
    await asyncio.sleep(0.01)


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


def test_questions_are_answered_each_its_own():
    """Of prompts, and of how all are."""

    async def run() -> None:
        async with opened() as (port, parent):
            told: list[Change | None] = []
            for _ in range(3):
                port.look(("acme", "s"), SEEN, told.append, is_session=True)
            await until(lambda: len(told) == 3)
            assert set(told) == {Change(3, 2, "tools", 1.5)}
            assert len({one.number for one in parent.told}) == 3
            health = await port.health()
            assert health is not None
            assert health.restarts == 4

    asyncio.run(run())


def test_what_its_parent_wants_is_done():
    """It says how it is, and takes connections of another's place."""

    async def run() -> None:
        async with opened() as (port, parent):
            taken: list[tuple[int, bool]] = []
            port.take = lambda slot, also: taken.append((slot, also))
            port.how_it_is = lambda: {"in_flight": 7}
            parent.line.say(TellHealth(9))
            parent.line.say(Take(1, also=True))
            await until(lambda: taken and parent.told)
            assert taken == [(1, True)]
            assert parent.told == [HealthTold(9, {"in_flight": 7})]

    asyncio.run(run())


def test_nothing_waits_for_a_parent_that_is_gone_or_silent(monkeypatch):
    """Nor is more remembered of it than so many questions."""
    monkeypatch.setattr(port_module, "_HEALTH_S", 0.05)
    monkeypatch.setattr(port_module, "_MOST_ASKED", 3)

    async def run() -> None:
        async with opened() as (port, parent):
            parent.answers = False
            told: list[Change | None] = []
            assert await port.health() is None
            for _ in range(5):
                port.look(("acme",), SEEN, told.append, is_session=False)
            assert told == [None] * 3, "the other two may still be answered"
            parent.line.close()
            await until(lambda: len(told) == 5)
            port.look(("acme",), SEEN, told.append, is_session=False)
            assert told == [None] * 6
            assert await port.health() is None

    asyncio.run(run())


def test_an_order_shows_no_key():
    """Of the digests."""
    order = WorkerOrder(
        instance="i", slot=1, listening=(), line=1, memory=2, key=b"secret"
    )

    assert "secret" not in repr(order)
    with pytest.raises(AttributeError):
        order.slot = 2  # type: ignore[misc]

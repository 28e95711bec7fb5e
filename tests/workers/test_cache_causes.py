"""Scripted sessions whose requests come to either of two workers: what became of their
prompts is told as by one process."""

import asyncio
import random
import socket
from datetime import UTC, datetime, timedelta

import pytest
from prefix_provider import VENDORS, Asked, Session, Vendor

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import read_headers
from lectr_lab.core.ids import event_id
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.routing.providers import ResolvedProvider
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch
from lectr_lab.proxy.shared.failures import open_memory
from lectr_lab.proxy.shared.line import Line
from lectr_lab.proxy.shared.messages import Look, ToParent
from lectr_lab.proxy.shared.port import Port, WorkerOrder
from lectr_lab.testing.recorded_proxy import Box
from lectr_lab.workers.prefixes import Prefixes

START = datetime(2026, 11, 2, tzinfo=UTC)
KEY = KeyEntry(key_id="k", org="acme", digest="", created_at=START)
TURNS = 12


def _pass(
    watch: PrefixWatch, session: str, vendor: Vendor, one: Asked, now_s: list[float]
) -> None:
    """One request, as the relay tells of it."""
    now_s[0] = one.at_s
    headers = [(b"x-lectr-session", session.encode())]
    exchange = Exchange(
        event_id=event_id(int(one.at_s * 1000), 0),
        started_at=START + timedelta(seconds=one.at_s),
        started_s=one.at_s,
        raw_path=one.path,
        client_headers=read_headers(headers, {}),
        key=KEY,
        headers=headers,
    )
    target = ResolvedProvider(vendor.provider, "path")
    facts = read_request(one.body, exchange.operation)
    exchange.received(facts, len(one.body), one.at_s)
    exchange.ruled(target, target, one.model, None, None)
    with memoryview(one.body) as lent:
        watch.begin(exchange, lent)
    exchange.sent_to(target, one.at_s)
    now_s[0] = one.at_s + 1
    exchange.answered(200, [(b"content-type", b"application/json")], one.at_s + 1)
    exchange.passed_on(one.at_s + 1)
    exchange.passed_whole()
    exchange.chunk(one.reply, one.at_s + 1)
    watch.ended(exchange.ended("ok", one.at_s + 1))


async def _port(prefixes: Prefixes) -> tuple[Port, Line]:
    """One worker's, and its parent's end."""
    ours, its = socket.socketpair()
    ours.setblocking(False)

    def told(message: ToParent) -> None:
        assert isinstance(message, Look)
        prefixes.look(message, line.say)

    line = Line(ToParent, told)
    order = WorkerOrder(
        instance="",
        slot=0,
        listening=(),
        line=its.detach(),
        memory=open_memory(),
        key=b"k" * 32,
    )
    port = Port(order)
    await asyncio.get_running_loop().create_connection(lambda: line, sock=ours)
    await port.start()
    return port, line


async def played(sessions: int, workers: int) -> list[Event]:
    """All sessions, each request at any of so many workers; of one, without a parent."""
    box, now_s, dice = Box(), [0.0], random.Random(7)
    prefixes = Prefixes(held_s=0.0)
    ends = [await _port(prefixes) for _ in range(workers if workers > 1 else 0)]
    ports: list[Port | None] = [port for port, _ in ends] or [None]
    watches = [PrefixWatch(Observers(box), lambda: now_s[0], port) for port in ports]
    for watch in watches:
        watch.start()
    asked, vendors = 0, list(VENDORS.items())
    for number in range(sessions):
        name, vendor = vendors[number % len(vendors)]
        for one in Session(vendor, number).play(TURNS):
            asked += 1
            _pass(dice.choice(watches), f"{name}-{number}", vendor, one, now_s)
            while len(box.events) < asked:
                await asyncio.sleep(0)
    for watch in watches:
        await watch.stop()
    for port, line in ends:
        port.stop()
        line.close()
    await asyncio.sleep(0.05)
    return box.events


def told(event: Event) -> tuple:
    return (
        event.prefix_break,
        event.prefix_chars,
        event.prefix_kept_chars,
        event.idle_s,
    )


@pytest.mark.parametrize(
    "sessions", [21, pytest.param(105, marks=pytest.mark.slow)], ids=str
)
def test_two_workers_tell_what_one_process_does(sessions, monkeypatch):
    """Cause, lengths, and how long it lay."""
    monkeypatch.setattr("lectr_lab.proxy.observers.prefix_watch.WITHIN_S", 20.0)
    alone = [told(event) for event in asyncio.run(played(sessions, 1))]
    shared = [told(event) for event in asyncio.run(played(sessions, 2))]

    assert shared == alone
    assert {cause for cause, *_ in alone} >= {"first", "none", "tools", "system"}

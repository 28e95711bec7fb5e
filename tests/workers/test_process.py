"""One worker, from its start to its end."""

import asyncio
import os
import socket
from contextlib import contextmanager

import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ProxyError
from lectr_lab.launch import Order, Session
from lectr_lab.proxy.shared.failures import open_memory
from lectr_lab.proxy.shared.messages import (
    AllHealth,
    HealthTold,
    HealthWanted,
    TellHealth,
)
from lectr_lab.proxy.shared.port import WorkerOrder
from lectr_lab.workers.process import WorkerProcess

SESSION = Session("lc_key_of-a-session")
CHAT = b'{"model":"m","messages":[]}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"


def order(tmp_path, **changes) -> Order:
    worker = WorkerOrder(
        instance="its-instance",
        slot=0,
        listening=(),
        line=-1,
        memory=-1,
        key=b"k" * 32,
        quiet=True,
    )
    nowhere = "http://127.0.0.1:1/v1"
    settings = Settings(lab=str(tmp_path / "lab"), port=0, upstream=nowhere, **changes)
    return Order(settings=settings, session=SESSION, worker=worker)


@contextmanager
def held():
    """What the parent holds."""
    memory = open_memory()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock, memory
    os.close(memory)


async def request(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"X-Lectr-Key: {SESSION.key}\r\nAuthorization: Bearer sk-test\r\n\r\n"
    writer.write(head.encode())
    said = await reader.read()
    writer.close()
    return said


def test_a_worker_answers_asks_and_ends(tmp_path):
    """At its parent's socket, which is still there afterwards."""
    told, first = [], []

    async def run(sock, memory) -> int:
        worker = WorkerProcess(
            lambda _, message: told.append(message), lambda: first.append(1)
        )
        url = await worker.start(order(tmp_path), [sock.fileno()], memory)
        port = sock.getsockname()[1]
        assert url == f"http://127.0.0.1:{port}"
        assert (worker.pid > 0, worker.slot) == (True, 0)
        worker.say(TellHealth(5))
        asking = asyncio.create_task(request(port, "/health"))
        async with asyncio.timeout(30):
            while len(told) < 2:
                await asyncio.sleep(0.01)
        [wanted] = [one for one in told if isinstance(one, HealthWanted)]
        worker.say(AllHealth(wanted.number, [], 3))
        assert b'"restarts":3' in await asking
        assert b"503" in await request(port, "/v1/models")
        async with asyncio.timeout(30):
            while not first:
                await asyncio.sleep(0.01)
        worker.stop()
        async with asyncio.timeout(60):
            return await worker.ended()

    with held() as (sock, memory):
        code = asyncio.run(run(sock, memory))
        assert sock.getsockname()

    assert code in (0, -15)
    assert first == [1]
    [health] = [one.health for one in told if isinstance(one, HealthTold)]
    assert health["instance"] == "its-instance"


def test_one_that_cannot_serve_says_why(tmp_path):
    """Its reason is its parent's error."""

    async def run(sock, memory) -> None:
        worker = WorkerProcess(lambda *_: None, lambda: None)
        bad = order(tmp_path, tls_cert="no.pem", tls_key="no.pem")
        with pytest.raises(ProxyError, match="certificate"):
            await worker.start(bad, [sock.fileno()], memory)
        assert not worker.say(TellHealth(1))

    with held() as (sock, memory):
        asyncio.run(run(sock, memory))

"""A client that leaves is noticed, by our server's word or by ASGI's, until it is over."""

import asyncio
import socket
import threading

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lectr_lab.proxy.server.departure import Client, Departure
from lectr_lab.proxy.server.run import in_thread


async def cancelled(scope, receive, leave) -> bool:
    """Whether the task that waits is cancelled once its client has left."""

    async def wait():
        departure = Departure(scope, receive)
        try:
            leave()
            await asyncio.sleep(0.2)
            return departure.noticed
        except asyncio.CancelledError:
            return departure.noticed
        finally:
            departure.over()

    return await asyncio.create_task(wait())


async def silent():
    await asyncio.sleep(60)


def test_our_server_says_that_a_client_left():
    """Whether before or after somebody wants to know; nothing else is waited for."""
    for early in (True, False):
        client = Client()
        scope = {"state": {"lectr_client": client}}
        if early:
            client.left()
        leave = (lambda: None) if early else client.left
        assert asyncio.run(cancelled(scope, silent, leave))
    quiet = {"state": {"lectr_client": Client()}}
    assert not asyncio.run(cancelled(quiet, silent, lambda: None))


def test_when_it_is_over_a_departure_is_nothing():
    """The task goes on to the next thing."""

    async def go():
        client = Client()
        scope = {"state": {"lectr_client": client}}
        Departure(scope, silent).over()
        client.left()
        await asyncio.sleep(0)
        return True

    assert asyncio.run(go())


@pytest.mark.parametrize("scope", [{}, {"state": {}}])
def test_on_another_server_asgi_says_it(scope):
    """After whatever else is received."""
    messages = iter(["http.request", "http.disconnect"])

    async def receive():
        return {"type": next(messages)}

    assert asyncio.run(cancelled(scope, receive, lambda: None))


@pytest.mark.parametrize("ours", [True, False])
def test_a_socket_that_closes_is_a_departure(monkeypatch, ours):
    """On the real server, with its word and without; on a kept connection, too."""
    if not ours:
        monkeypatch.setattr(
            "lectr_lab.proxy.server.run.Reader",
            lambda _, **of_uvicorn: HttpToolsProtocol(**of_uvicorn),
        )
    asked, left = threading.Event(), threading.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while (kind := (await receive())["type"]) != "lifespan.shutdown":
                await send({"type": f"{kind}.complete"})
            return await send({"type": "lifespan.shutdown.complete"})
        await receive()
        departure = Departure(scope, receive)
        assert (departure._watcher is None) is ours
        try:
            if scope["path"] == "/wait":
                asked.set()
                await asyncio.sleep(10)
        except asyncio.CancelledError:
            left.set()
            return
        finally:
            departure.over()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    with in_thread(app) as url:
        port = int(url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(b"GET /now HTTP/1.1\r\nhost: x\r\n\r\n")
            assert sock.recv(1000).endswith(b"ok")
            sock.sendall(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
            assert asked.wait(5)
        assert left.wait(5)

"""Sockets: a taken port, a free one, a clean end."""

import socket

import httpx
import pytest

from lectr_lab.core.errors import ProxyError
from lectr_lab.proxy.serve import in_thread, open_socket


async def hello(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def test_a_taken_port_is_a_clear_error():
    """Which address, and what to do."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ProxyError, match="--port"),
    ):
        open_socket("127.0.0.1", taken.getsockname()[1])


def test_an_impossible_host_is_a_clear_error():
    """A name that is no address of this machine."""
    with pytest.raises(ProxyError, match=r"Cannot listen on 203\.0\.113\.1"):
        open_socket("203.0.113.1", 0)


def test_a_thread_serves_and_frees_its_port():
    """After the block nothing listens any more."""
    with in_thread(hello) as url:
        assert httpx.get(url).text == "hello"

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)

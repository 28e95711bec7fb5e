"""A reply that is here whole is written at once, and is what ASGI would have written."""

import asyncio
import socket

import pytest

from lectr_lab.proxy.server.run import in_thread
from lectr_lab.proxy.server.whole_reply import send_whole

HEADERS = [
    (b"content-type", b"text/plain"),
    (b"set-cookie", b"a"),
    (b"set-cookie", b"b"),
]
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def served(app, *requests: bytes) -> list[bytes]:
    """What one connection answers to each request: one read, once it was waited for."""
    with in_thread(app) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        with socket.create_connection(address, timeout=5) as sock:
            answers = []
            for request in requests:
                sock.sendall(request)
                answers.append(sock.recv(100_000))
            return answers


def answering(headers, body=b"hello"):
    """An application that answers at once, or as ASGI wants it under `/asgi`."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        told = send
        if scope["path"] == "/asgi":

            async def told(message):
                await send(message)

        await send_whole(told, 201, headers, body)

    return app


@pytest.mark.parametrize("length", [True, False])
def test_one_read_holds_all_and_the_connection_goes_on(length):
    """With the provider's length, or in a chunk where it gave none."""
    headers = [*HEADERS, (b"content-length", b"5")] if length else HEADERS

    first, second = served(answering(headers), REQUEST, REQUEST)

    assert first == second
    assert first.startswith(b"HTTP/1.1 201 Created\r\n")
    assert first.endswith(
        b"\r\n\r\nhello" if length else b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("ending", [b"", b"connection: close\r\n"])
def test_it_is_what_the_server_writes_of_asgis_messages(length, ending):
    """To the byte."""
    headers = [*HEADERS, (b"content-length", b"5")] if length else HEADERS
    ask = b"GET %s HTTP/1.1\r\nhost: x\r\n" + ending + b"\r\n"

    [ours] = served(answering(headers), ask % b"/")
    with in_thread(answering(headers)) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(ask % b"/asgi")
            theirs = b""
            while len(theirs) < len(ours):
                theirs += sock.recv(1000)

    assert ours == theirs


def test_a_connection_that_is_to_close_does():
    """Once the reply is out."""
    closing = REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    with in_thread(answering(HEADERS)) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(closing)
            with sock.makefile("rb") as file:
                assert b"hello" in file.read()


def test_pipelined_requests_are_answered_in_turn():
    """Each once, in order."""
    with in_thread(answering(HEADERS)) as url:
        address = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        with socket.create_connection(address, timeout=5) as sock:
            sock.sendall(REQUEST * 5)
            got = b""
            while got.count(b"0\r\n\r\n") < 5:
                got += sock.recv(1000)
    assert got.count(b"HTTP/1.1 201") == got.count(b"hello") == 5


def test_another_server_gets_asgis_messages():
    """A head and a body."""
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(send_whole(send, 200, HEADERS, b"x"))

    assert [message["type"] for message in sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert (sent[0]["status"], sent[0]["headers"], sent[1]["body"]) == (
        200,
        HEADERS,
        b"x",
    )

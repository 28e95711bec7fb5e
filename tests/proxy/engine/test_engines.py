"""Both engines ask in the same words, and answer with the provider's bytes."""

import asyncio
import contextlib
import socket
import ssl
import threading

import pytest
import uvloop

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import UpstreamBroken, UpstreamUnreachable
from lectr_lab.proxy.engine.engines import open_engine


def ask(
    engine: str,
    url: str,
    method: str = "POST",
    headers=(),
    body: bytes = b"{}",
    run=asyncio.run,
    **settings,
):
    """One call: status, headers, chunks."""

    async def go():
        opened = open_engine(Settings(engine=engine, **settings))
        try:
            reply = await opened.send(method, url, list(headers), body)
            try:
                chunks = [chunk async for chunk in reply]
            finally:
                await reply.aclose()
            return reply.status, list(reply.headers), b"".join(chunks)
        finally:
            await opened.aclose()

    return run(go())


def test_the_request_is_sent_as_it_was_given(provider, engine):
    """Path, query, header order and repeats, body; nothing but host and length added."""
    headers = [(b"x-b", b"1"), (b"x-a", "é".encode()), (b"x-b", b"2")]
    provider.reply(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    ask(engine, f"{provider.url}/v1/a%2Fb/../c?x=%20&y=[1]", "POST", headers, b"body")

    [got] = provider.received
    assert got.line == "POST /v1/a%2Fb/../c?x=%20&y=[1] HTTP/1.1"
    ours = [h for h in got.headers if h[0] not in ("host", "content-length")]
    assert ours == [(n.decode(), v.decode("latin-1")) for n, v in headers]
    assert got.body == b"body"


def test_a_get_has_no_body(provider, engine):
    """And no length of one."""
    provider.reply(b"HTTP/1.1 204 No Content\r\n\r\n")

    status, _, body = ask(engine, f"{provider.url}/v1/models", "GET", body=b"")

    assert (status, body) == (204, b"")
    assert "content-length" not in dict(provider.received[0].headers)


def test_a_redirect_is_not_followed(provider, engine):
    """A key never goes where a provider points."""
    provider.reply(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\n"
        b"content-length: 0\r\nconnection: close\r\n\r\n"
    )

    status, headers, _ = ask(engine, f"{provider.url}/v1/models", "GET", body=b"")

    assert status == 302
    assert (b"location", b"http://127.0.0.1:9/") in [(n.lower(), v) for n, v in headers]


def test_gzip_is_passed_on_as_it_is(provider, engine):
    """Neither decoded nor asked for."""
    provider.reply(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b!!"
    )

    assert ask(engine, provider.url + "/")[2] == b"\x1f\x8b!!"
    assert "accept-encoding" not in dict(provider.received[0].headers)


@pytest.mark.parametrize("raw", [b"", b"not http at all\r\n\r\n", b"HTTP/1.1 200"])
def test_a_provider_that_breaks_off_before_its_answer(provider, engine, raw):
    """An error of ours, from either engine."""
    provider.reply(raw)

    with pytest.raises(UpstreamBroken):
        ask(engine, provider.url + "/")


def test_a_provider_that_breaks_off_inside_its_answer(provider, engine):
    """Fewer bytes than announced is an error, not an end."""
    provider.reply(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")

    with pytest.raises(UpstreamBroken):
        ask(engine, provider.url + "/")


def test_nobody_there_is_unreachable(engine):
    """No connection: nothing was sent."""
    with pytest.raises(UpstreamUnreachable):
        ask(engine, "http://127.0.0.1:1/")


@contextlib.contextmanager
def over_tls(certificate, reply: bytes, end: str):
    """A provider that answers once over TLS, and ends the connection in its way."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def serve() -> None:
        sock, _ = listening.accept()
        sock.settimeout(30)
        with context.wrap_socket(sock, server_side=True) as tls:
            request = b""
            while not request.endswith(b"\r\n\r\n{}"):
                request += tls.recv(65_536)
            tls.sendall(reply)
            with contextlib.suppress(OSError):  # the other side may be quicker
                if end == "close_notify":
                    tls.unwrap()
                tls.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{listening.getsockname()[1]}/"
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize(
    ("head", "end", "body"),
    [
        ("connection: close", "close_notify", b"all of it"),
        ("connection: close", "cut", None),
        ("content-length: 9", "cut", b"all of it"),
        ("content-length: 10", "close_notify", None),
    ],
)
def test_over_tls_a_connections_end_is_said(certificate, engine, run, head, end, body):
    """A body that lasts as long as its connection is whole where TLS says that it is
    over; a cut is none (RFC 9112, 9.8). Where a length says it, nobody need."""
    reply = f"HTTP/1.1 200 OK\r\n{head}\r\n\r\nall of it".encode()

    with over_tls(certificate, reply, end) as url:
        asked = {"run": run, "ca_bundle": certificate[0]}
        if body is None:
            with pytest.raises(UpstreamBroken):
                ask(engine, url, **asked)
        else:
            assert ask(engine, url, **asked)[2] == body

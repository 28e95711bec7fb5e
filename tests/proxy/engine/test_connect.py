"""Connections: checked certificates, tunnels, addresses that are dead, and time."""

import asyncio
import contextlib
import ssl

import pytest
import uvloop

from lectr_lab.core.errors import UpstreamUnreachable
from lectr_lab.proxy.engine.connect import _first, dial, origin_of, proxy_of
from lectr_lab.proxy.engine.pool import Pool

LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])


async def provide(reader, writer):
    """A provider that says whether it was spoken to in TLS."""
    while await reader.readuntil(b"\r\n\r\n"):
        tls = writer.get_extra_info("ssl_object")
        said = (tls.version() if tls else "plain").encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(said)
        writer.write(head + said)


class Tunnels:
    """A proxy: CONNECT and nothing else."""

    def __init__(self, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"):
        self.answer, self.heads = answer, []

    async def talk(self, reader, writer):
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        port = int(self.heads[-1].split(b" ")[1].rpartition(b":")[2])
        writer.write(self.answer)
        if b" 200 " in self.answer:
            there, to = await asyncio.open_connection("127.0.0.1", port)
            back = asyncio.create_task(pump(there, writer))
            await pump(reader, to)
            await back


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()


async def port_of(talk, **how) -> int:
    """Where a server listens, until the test ends."""

    async def closing(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(closing, "127.0.0.1", 0, **how)
    asyncio.current_task().add_done_callback(lambda _: server.close())
    return server.sockets[0].getsockname()[1]


async def tidily(test):
    """A test, and then the ends of whatever it began."""
    try:
        return await asyncio.wait_for(test, 10)
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        _, late = await asyncio.wait(others, timeout=1) if others else ((), ())
        for task in late:
            task.cancel()
        await asyncio.sleep(0.02)


def serving(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def trusting(certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate[0])


async def fetch(pool, url) -> bytes:
    try:
        reply = await pool.send("GET", url, [], b"")
        body = b"".join([chunk async for chunk in reply])
        await reply.aclose()
        return body
    finally:
        await pool.aclose()


@LOOPS
def test_tls_is_spoken_and_its_certificate_checked(certificate, run):
    """The name, and who signed it."""

    async def go():
        port = await port_of(provide, ssl=serving(certificate))
        good = await fetch(
            Pool(trusting(certificate), 5.0, None), _at("localhost", port)
        )
        with pytest.raises(UpstreamUnreachable):  # not the certificate's name
            await fetch(Pool(trusting(certificate), 5.0, None), _at("127.0.0.1", port))
        with pytest.raises(UpstreamUnreachable):  # signed by nobody known
            context = ssl.create_default_context()
            await fetch(Pool(context, 5.0, None), _at("localhost", port))
        return good

    assert run(tidily(go())) == b"TLSv1.3"


def _at(host: str, port: int) -> str:
    return f"https://{host}:{port}/"


@LOOPS
@pytest.mark.parametrize("proxy_tls", [False, True])
def test_tls_goes_through_a_proxy_in_a_tunnel(certificate, run, proxy_tls):
    """The proxy learns host, port and its own password; TLS ends at the provider."""

    async def go():
        tunnels = Tunnels()
        how = {"ssl": serving(certificate)} if proxy_tls else {}
        there = await port_of(provide, ssl=serving(certificate))
        port = await port_of(tunnels.talk, **how)
        scheme = "https" if proxy_tls else "http"
        pool = Pool(trusting(certificate), 5.0, f"{scheme}://me:word@localhost:{port}")
        said = await fetch(pool, _at("localhost", there))
        return said, tunnels.heads, there

    said, heads, port = run(tidily(go()))
    assert said == b"TLSv1.3"
    assert heads == [
        b"CONNECT localhost:%d HTTP/1.1\r\nHost: localhost:%d\r\n"
        b"Proxy-Authorization: Basic bWU6d29yZA==\r\n\r\n" % (port, port)
    ]


@LOOPS
def test_inside_a_tunnel_certificates_are_checked_too(certificate, run):
    """A proxy cannot stand in for the provider."""

    async def go():
        there = await port_of(provide, ssl=serving(certificate))
        port = await port_of(Tunnels().talk)
        pool = Pool(trusting(certificate), 5.0, f"http://127.0.0.1:{port}")
        with pytest.raises(UpstreamUnreachable):
            await fetch(pool, _at("127.0.0.1", there))

    run(tidily(go()))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"no HTTP\r\n\r\n",
    ],
)
def test_a_proxy_that_refuses_leaves_the_provider_unreachable(certificate, answer):
    """Nothing was sent to it."""

    async def go():
        port = await port_of(Tunnels(answer).talk)
        pool = Pool(trusting(certificate), 5.0, f"http://127.0.0.1:{port}")
        with pytest.raises(UpstreamUnreachable):
            await fetch(pool, "https://localhost:9/")

    asyncio.run(tidily(go()))


@LOOPS
@pytest.mark.parametrize("more", [b"", b"not TLS"])
def test_a_proxy_that_ends_its_tunnel_is_not_waited_for(certificate, run, more):
    """As soon as it is seen, not when the time for connecting is over."""

    async def hang_up(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + more)

    async def go():
        pool = Pool(
            trusting(certificate), 60.0, f"http://127.0.0.1:{await port_of(hang_up)}"
        )
        with pytest.raises(UpstreamUnreachable):
            await fetch(pool, "https://localhost:9/")

    run(tidily(go()))


def test_a_connection_takes_no_longer_than_it_may(certificate):
    """TLS included: who accepts and then says nothing is not there."""

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def go():
        port = await port_of(silent)
        with pytest.raises(UpstreamUnreachable):
            to = origin_of(_at("localhost", port))
            await dial(to, trusting(certificate), None, 0.2)

    asyncio.run(tidily(go()))


@pytest.mark.parametrize(
    "url", ["ftp://x/", "http://x:port/", "http://x:99999/", "http://a..b/"]
)
def test_what_is_no_address_is_unreachable(url):
    """No error of Python's own."""
    with pytest.raises(UpstreamUnreachable):
        origin_of(url)


def test_an_address_of_ipv6_is_one():
    """With and without a port, and a password that is not the host's."""
    assert origin_of("http://[::1]/x")[1:3] == ("::1", 80)
    assert origin_of("https://a:b@[::1]:9/x") == (True, "::1", 9, b"[::1]:9")
    assert proxy_of("http://proxy").authorization == b""


class Opened:
    """What an attempt opens."""

    def __init__(self):
        self.aborted = False

    def abort(self):
        self.aborted = True


@pytest.mark.parametrize("first", ["fails", "hangs", "is slow"])
def test_of_several_addresses_one_that_answers_is_used(first):
    """A dead one costs a quarter of a second; one that comes late is closed."""
    opened = []

    async def one():
        if first == "fails":
            raise OSError
        await asyncio.sleep(60 if first == "hangs" else 0.3)
        return opened.append(Opened()) or opened[-1]

    async def two():
        if first == "is slow":
            await asyncio.sleep(0.05)
        return opened.append(Opened()) or opened[-1]

    async def go():
        won = await _first([one, two])
        await asyncio.sleep(0.01)
        return won

    won = asyncio.run(tidily(go()))
    assert not won.aborted
    assert all(each.aborted for each in opened if each is not won)


def test_where_no_address_answers_there_is_none():
    """Nor where a name has none."""

    async def dead():
        raise OSError

    for attempts in ([dead, dead], []):
        with pytest.raises(OSError, match="no address"):
            asyncio.run(_first(attempts))

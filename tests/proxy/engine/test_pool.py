"""Connections wait for a next request, and are used only where that is safe."""

import asyncio
import socket
import ssl
import threading
import time
from contextlib import asynccontextmanager

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import UpstreamBroken
from lectr_lab.proxy.engine import pool as module
from lectr_lab.proxy.engine.pool import Pool

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
MB = 1024 * 1024


class Provider:
    """Answers each request of each connection as `answers` say, in their order."""

    def __init__(self, *answers):
        self.answers, self.connections, self.requests = list(answers), 0, []
        self.left, self.talks = asyncio.Event(), []

    async def talk(self, reader, writer):
        self.connections += 1
        self.talks.append(asyncio.current_task())
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                length = head.lower().partition(b"content-length: ")[2].split(b"\r")[0]
                await reader.readexactly(int(length or 0))
                answer = self.answers.pop(0) if self.answers else OK
                writer.write(answer.rstrip(b"!"))
                if answer.endswith(b"!"):  # and hangs up
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


@asynccontextmanager
async def talking(*answers):
    """A provider, a pool, and the URL of the one for the other."""
    provider = Provider(*answers)
    server = await asyncio.start_server(provider.talk, "127.0.0.1", 0)
    pool = Pool(ssl.create_default_context(), 5.0, None)
    port = server.sockets[0].getsockname()[1]
    try:
        yield provider, pool, f"http://127.0.0.1:{port}/v1/x"
    finally:
        await pool.aclose()
        server.close()
        await asyncio.wait_for(asyncio.gather(*provider.talks), 5)
        await asyncio.sleep(0.01)  # in which their connections close


async def call(pool, url, method="POST", headers=(), body=b"{}"):
    """A call, read to its end."""
    reply = await pool.send(method, url, headers, body)
    try:
        return b"".join([chunk async for chunk in reply])
    finally:
        await reply.aclose()


def test_calls_in_turn_share_a_connection():
    """And calls at once have one each, which both wait afterwards."""

    async def go():
        async with talking() as (provider, pool, url):
            for _ in range(3):
                await call(pool, url)
            alone = provider.connections
            await asyncio.gather(*(call(pool, url) for _ in range(4)))
            await asyncio.gather(*(call(pool, url) for _ in range(4)))
            return alone, provider.connections

    assert asyncio.run(go()) == (1, 4)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_the_provider_closed_is_not_used(method):
    """Whatever is asked, nobody notices."""

    async def go():
        async with talking(OK + b"!") as (provider, pool, url):
            await call(pool, url)
            await asyncio.sleep(0.05)
            assert await call(pool, url, method) == b"{}"
            return provider.connections, len(provider.requests)

    assert asyncio.run(go()) == (2, 2)


def test_an_end_that_the_loop_has_not_seen_yet_is_seen():
    """It is in the kernel while the loop is busy: a POST takes another connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5)

    def provide():
        for _ in range(2):
            one, _ = listening.accept()
            one.recv(4096)
            one.sendall(OK)
            one.close()

    async def go():
        pool = Pool(ssl.create_default_context(), 5.0, None)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/x"
        await call(pool, url)
        time.sleep(0.1)  # noqa: ASYNC251 - the loop is to be busy
        assert await call(pool, url) == b"{}"
        await pool.aclose()

    with listening:
        server = threading.Thread(target=provide)
        server.start()
        asyncio.run(go())
        server.join()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_provider_that_hangs_up_when_it_is_called_is_not_waited_for(run):
    """The end of a connection may come between its beginning and the request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def provide():
        for _ in range(20):
            listening.accept()[0].close()

    async def go():
        pool = Pool(ssl.create_default_context(), 5.0, None)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1/x"
        for _ in range(20):
            with pytest.raises(UpstreamBroken):
                await asyncio.wait_for(call(pool, url), 5)
        await pool.aclose()

    with listening:
        server = threading.Thread(target=provide, daemon=True)
        server.start()
        run(go())
        server.join()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_asked_twice_is_when_a_waiting_connection_dies(method):
    """Once, on a new one."""

    async def go():
        async with talking(OK, b"!", OK, b"!") as (provider, pool, url):
            await call(pool, url)
            assert await call(pool, url, method) == b"{}"
            return provider.connections, len(provider.requests)

    assert asyncio.run(go()) == (2, 3)


@pytest.mark.parametrize(
    ("method", "answers", "asked"),
    [
        ("POST", [OK, b"!"], 2),  # it may have been billed
        ("PATCH", [OK, b"!"], 2),
        ("GET", [OK, b"HTTP/1.1 2!"], 2),  # it has begun to answer
        ("GET", [OK, b"!", b"!"], 3),  # not a third time
        ("GET", [b"!"], 1),  # a new connection is no stale one
    ],
)
def test_nothing_else_is_asked_twice(method, answers, asked):
    """Counted at the provider."""

    async def go():
        async with talking(*answers) as (provider, pool, url):
            if len(answers) > 1:
                await call(pool, url)
            with pytest.raises(UpstreamBroken):
                await call(pool, url, method)
            return len(provider.requests)

    assert asyncio.run(go()) == asked


def test_a_connection_does_not_wait_for_ever(monkeypatch):
    """It is closed when its time is over, though nobody asks."""
    monkeypatch.setattr(module, "IDLE_S", 0.05)

    async def go():
        async with talking() as (provider, pool, url):
            await call(pool, url)
            await asyncio.wait_for(provider.left.wait(), 5)
            await call(pool, url)
            return provider.connections

    assert asyncio.run(go()) == 2


def test_a_connection_that_waited_too_long_is_not_used(monkeypatch):
    """Even if the sweep has not come to it: the loop was held up."""

    async def go():
        async with talking() as (provider, pool, url):
            await call(pool, url)
            monkeypatch.setattr(module, "IDLE_S", 0.01)
            time.sleep(0.02)  # noqa: ASYNC251 - that is the case
            await call(pool, url)
            return provider.connections

    assert asyncio.run(go()) == 2


def test_what_comes_unasked_ends_a_waiting_connection():
    """Many servers say 408 before they close."""

    async def go():
        late = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
        async with talking(OK + late) as (provider, pool, url):
            assert await call(pool, url) == b"{}"
            await asyncio.sleep(0.05)
            assert await call(pool, url) == b"{}"
            return provider.connections

    assert asyncio.run(go()) == 2


def test_a_reply_that_is_let_go_early_closes_its_connection():
    """So that the provider stops."""

    async def go():
        start = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"
        async with talking(start) as (provider, pool, url):
            reply = await pool.send("POST", url, [], b"{}")
            assert await anext(aiter(reply)) == b"ab"
            await reply.aclose()
            await asyncio.wait_for(provider.left.wait(), 5)

    asyncio.run(go())


def test_a_call_that_is_given_up_closes_its_connection():
    """Before the reply's head, too."""

    async def go():
        async with talking(b"HTTP/1.1 2") as (provider, pool, url):
            asking = asyncio.create_task(call(pool, url))
            while not provider.requests:
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.wait_for(provider.left.wait(), 5)
            assert asking.cancelled()

    asyncio.run(go())


def test_a_reply_is_given_back_once():
    """Letting go of it twice does not touch whoever has its connection by then."""

    async def go():
        start = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab"
        async with talking(OK, start) as (_, pool, url):
            first = await pool.send("POST", url, [], b"{}")
            assert [chunk async for chunk in first] == [b"{}"]
            await first.aclose()
            second = await pool.send("POST", url, [], b"{}")
            await first.aclose()
            assert [chunk async for chunk in first] == []
            assert await anext(aiter(second)) == b"ab"
            await second.aclose()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("GET", "v1/x", (b"a", b"1\r\nb: 2")),
        ("GET", "v1/x", (b"a", b"1\n")),
        ("GET", "v1/x", (b"a\r\nb", b"1")),
        ("GET", "v1/x HTTP/1.1\r\nx:", (b"a", b"1")),
        ("GET", "v1/a b", (b"a", b"1")),
        ("GET /x", "v1/x", (b"a", b"1")),
    ],
)
def test_a_request_is_one_request(method, path, header):
    """What would smuggle in a second line is not sent."""

    async def go():
        async with talking() as (provider, pool, url):
            with pytest.raises(UpstreamBroken):
                await call(pool, url.replace("v1/x", path), method, [header])
            return provider.connections

    assert asyncio.run(go()) == 0


def test_a_provider_may_answer_before_it_has_read_everything():
    """Its answer is read, and the connection not used again."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await reader.read()
        writer.close()

    async def go():
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        pool = Pool(ssl.create_default_context(), 5.0, None)
        port = server.sockets[0].getsockname()[1]
        body = b"x" * (30 * MB)
        reply = await pool.send("POST", f"http://127.0.0.1:{port}/", [], body)
        text = b"".join([chunk async for chunk in reply])
        await reply.aclose()
        await pool.aclose()
        server.close()
        await asyncio.sleep(0.05)
        return reply.status, text

    assert asyncio.run(go()) == (413, b"no")


def test_a_plain_request_through_a_proxy_names_its_whole_url():
    """RFC 9112, 3.2.2; the proxy's password goes to the proxy."""

    async def go():
        async with talking() as (proxy, pool, url):
            netloc = url.split("/")[2]
            through = Pool(pool._tls, 5.0, f"http://me:w%40rd@{netloc}")
            assert await call(through, "http://provider.test/v1/x?a=1") == b"{}"
            await through.aclose()
            return proxy.requests[0].split(b"\r\n")

    line, host, authorization, *_ = asyncio.run(go())
    assert line == b"POST http://provider.test/v1/x?a=1 HTTP/1.1"
    assert host == b"Host: provider.test"
    assert authorization == b"Proxy-Authorization: Basic bWU6d0ByZA=="


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST"]),
            st.sampled_from(["v1/a", "v1/b?c"]),
            st.lists(
                st.tuples(st.sampled_from([b"a", b"b"]), st.sampled_from([b"1", b"2"])),
                max_size=3,
            ),
            st.sampled_from([b"", b"{}", b"12345678901"]),
        ),
        max_size=8,
    )
)
def test_a_head_that_comes_again_is_the_one_that_it_was(asked):
    """Put together once or each time: the same bytes, with the length of this body."""
    origin = module.origin_of("http://127.0.0.1/")
    fresh, used = module._way(origin, None), module._way(origin, None)

    for method, path, headers, body in asked:
        alone = module._head(method, path, fresh, headers, body)
        assert module._head(method, path, used, tuple(headers), body) == alone
    assert not fresh.known


@pytest.mark.parametrize("value", [b"1\r\nx: 2", b"1\n", b"1\r"])
def test_no_head_is_known_that_would_be_two(value):
    """It is refused each time."""
    way = module._way(module.origin_of("http://127.0.0.1/"), None)
    for _ in range(2):
        with pytest.raises(UpstreamBroken):
            module._head("POST", "v1/x", way, ((b"a", value),), b"")

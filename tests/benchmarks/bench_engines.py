"""What a request costs in each engine, and what each makes of odd bytes.

`python tests/benchmarks/bench_engines.py [--rounds N] [--requests N]`

    cpu    processor time of this process for one request and its reply, in
           microseconds, and beside our engine's: chats over one connection and over 32,
           streams of ten events over 32. The provider is another process. The engines
           take turns, in an order that turns around each time; medians over rounds, of
           the ratios the quartiles too.
    odd    what arrives, where header bytes are no UTF-8, names differ in case alone, a
           reply has a length beside chunks, or a chunk inside it is malformed

aiohttp is no dependency: it is measured where it is installed. Absolutes drift with the
machine; the ratio holds.
"""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median, quantiles

import uvloop

from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.measure import helper
from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import Engine
from lectr_lab.proxy.engine.engines import open_engine

KINDS = {"chat, 1 connection": (1, False), "chat, 32": (32, False)}
KINDS |= {"stream, 32": (32, True)}
_SILENT_S = 2.0


class Aiohttp:
    """aiohttp's client, told to leave alone what it can be told to."""

    def __init__(self) -> None:
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers="accept accept-encoding content-type user-agent".split(),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def send(self, method, url, headers, body):
        from multidict import CIMultiDict
        from yarl import URL

        texts = [(name.decode(), value.decode("latin-1")) for name, value in headers]
        response = await self._session.request(
            method,
            URL(url, encoded=True),
            headers=CIMultiDict(texts),
            data=body,
            allow_redirects=False,
        )
        return AiohttpReply(response)

    async def aclose(self) -> None:
        await self._session.close()


class AiohttpReply:
    """Its status, raw headers and chunks as they come."""

    def __init__(self, response) -> None:
        self.status, self.headers = response.status, response.raw_headers
        self._response = response

    def __aiter__(self):
        return self._response.content.iter_any()

    async def aclose(self) -> None:
        self._response.close()


def engines() -> dict[str, Callable[[], Engine]]:
    """How each that is installed is opened, inside an event loop."""
    opens: dict[str, Callable[[], Engine]] = {
        "native": lambda: open_engine(Settings(engine="native")),
        "httpx": lambda: open_engine(Settings(engine="httpx")),
    }
    return opens | ({"aiohttp": Aiohttp} if find_spec("aiohttp") else {})


def request_of(port: int, *, stream: bool):
    """The chat that `lectr-lab bench` asks, as an engine takes it."""
    head, _, body = Gateway(port).request(stream=stream).partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    headers = [tuple(each.split(b": ", 1)) for each in lines]
    ours = (b"host", b"content-length")
    path = line.split()[1].decode()
    return (
        "POST",
        f"http://127.0.0.1:{port}{path}",
        [h for h in headers if h[0].lower() not in ours],
        body,
    )


async def cpu_us(opened: Engine, request, connections: int, requests: int) -> float:
    """Processor time of one request, when the connections are there."""

    async def in_turn(count: int) -> None:
        for _ in range(count):
            reply = await opened.send(*request)
            async for _ in reply:
                pass
            await reply.aclose()

    async def all_at_once(each: int) -> None:
        await asyncio.gather(*(in_turn(each) for _ in range(connections)))

    each = max(1, requests // connections)
    try:
        await all_at_once(3)
        gc.collect()
        start_s = time.process_time()
        await all_at_once(each)
        return (time.process_time() - start_s) / (each * connections) * 1e6
    finally:
        await opened.aclose()


def cpu(rounds: int, requests: int) -> dict[str, object]:
    """Each engine's figures for each kind of request."""
    opens = engines()
    found = {kind: {name: [] for name in opens} for kind in KINDS}
    with helper("instant_provider") as provider:
        assert provider.stdout
        port = int(provider.stdout.readline())

        async def turn(name: str, kind: str) -> float:
            connections, stream = KINDS[kind]
            count = requests // 4 if stream else requests
            request = request_of(port, stream=stream)
            return await cpu_us(opens[name](), request, connections, count)

        for number in range(rounds):
            for kind in KINDS:
                for name in opens if number % 2 else reversed(opens):
                    found[kind][name].append(uvloop.run(turn(name, kind)))
    return {
        kind: {name: beside(of[name], of["native"]) for name in of}
        for kind, of in found.items()
    }


def beside(own: list[float], native: list[float]) -> dict[str, float]:
    """One engine's median, and its ratio to ours within each round."""
    ratios = [mine / ours for mine, ours in zip(own, native, strict=True)]
    low, mid, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    figures = {"cpu_us": median(own), "ratio": mid, "from": low, "to": high}
    return {name: round(value, 2) for name, value in figures.items()}


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNK = b"2\r\n{}\r\n"
# What is asked with, and what is answered; a pause between two pieces.
ODD = {
    "bytes that are no UTF-8": (
        [(b"x-key", b"k\xe9y")],
        [_OK + b"content-length: 0\r\n\r\n"],
    ),
    "names that differ in case alone": (
        [(b"x-key", b"1"), (b"X-KEY", b"2")],
        [_OK + b"content-length: 0\r\n\r\n"],
    ),
    "a length beside chunks": (
        [],
        [
            _OK + b"content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n",
            _CHUNK + b"0\r\n\r\n",
        ],
    ),
    "a malformed chunk": (
        [],
        [_OK + b"transfer-encoding: chunked\r\n\r\n" + _CHUNK, b"zz\r\n"],
    ),
}


async def odd(opens: Callable[[], Engine], headers, pieces) -> dict[str, str]:
    """Which of our header lines arrive, and how the reply ends."""
    opened, seen = opens(), list[bytes]()

    async def answer(reader, writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.extend(x for x in head.split(b"\r\n") if x.lower().startswith(b"x-"))
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.1)
        writer.close()

    async def ask() -> str:
        reply = await opened.send("POST", url, headers, b"")
        try:
            return f"{b''.join([chunk async for chunk in reply])!r}"
        finally:
            await reply.aclose()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    ended = await ending(ask())
    await opened.aclose()
    server.close()
    await asyncio.sleep(0.3)  # in which the provider's side ends
    return {"reply": ended, "arrived": f"{seen}"}


async def ending(asking: Awaitable[str]) -> str:
    """The reply, or the error's name, or that there was no end."""
    try:
        return await asyncio.wait_for(asking, _SILENT_S)
    except TimeoutError:
        return f"none within {_SILENT_S:g} s"
    except Exception as error:  # noqa: BLE001 - each engine has its own
        return type(error).__name__


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=640, help="in a turn")
    asked = parser.parse_args()
    if not find_spec("aiohttp"):
        print("aiohttp is not here: `pip install aiohttp` to see it beside the others.")
    versions = {name: version(name) for name in engines() if name != "native"}
    print(json.dumps({"versions": versions}))
    for kind, (headers, pieces) in ODD.items():
        made = {
            name: uvloop.run(odd(opens, headers, pieces))
            for name, opens in engines().items()
        }
        print(json.dumps({kind: made}, indent=2))
    print(json.dumps({"cpu": cpu(asked.rounds, asked.requests)}, indent=2))


if __name__ == "__main__":
    main()

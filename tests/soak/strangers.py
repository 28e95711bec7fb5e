"""Peers without a key, up to no good. Nothing is owed to them.

Each ends by itself: bounded in bytes and in time, whatever the proxy does.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from soak.wire import Wire

_LONGEST_S = 40.0
_MOST_BYTES = 2_000_000

Act = Callable[[Wire, random.Random], Awaitable[None]]


async def trouble(
    port: Callable[[], int | None],
    chance: random.Random,
    stopping: asyncio.Event,
    counts: Counter[str],
) -> None:
    """A stranger after another."""
    while not stopping.is_set():
        to, act = port(), chance.choice(_ACTS)
        if to is not None:
            counts[act.__name__.strip("_").replace("_", " ")] += 1
            await _one(act, to, chance, stopping)
        await asyncio.sleep(chance.random() * 0.3)


async def _one(
    act: Act, port: int, chance: random.Random, stopping: asyncio.Event
) -> None:
    try:
        wire = await Wire.open(port)
    except OSError:
        return
    acting = asyncio.create_task(act(wire, chance))
    over = asyncio.create_task(stopping.wait())
    await asyncio.wait(
        [acting, over], timeout=_LONGEST_S, return_when=asyncio.FIRST_COMPLETED
    )
    for task in (acting, over):
        task.cancel()
    await asyncio.gather(acting, over, return_exceptions=True)
    (wire.reset if chance.random() < 0.5 else wire.close)()


async def _poured(wire: Wire, piece: bytes, pause_s: float = 0.0) -> None:
    """A piece again and again, until nobody takes it."""
    for _ in range(_MOST_BYTES // len(piece)):
        await wire.send(piece)
        await asyncio.sleep(pause_s)


async def _endless_head(wire: Wire, chance: random.Random) -> None:
    await wire.send(b"POST /v1/chat/completions HTTP/1.1\r\n")
    await _poured(wire, b"X-A: " + b"a" * chance.randrange(1, 9000) + b"\r\n")


async def _endless_line(wire: Wire, chance: random.Random) -> None:
    await wire.send(b"GET /v1/")
    await _poured(wire, b"a" * 4096)


async def _nested_percents(wire: Wire, chance: random.Random) -> None:
    path = b"/v1/%" + b"25" * chance.randrange(10, 3900) + b"41"
    for _ in range(20):
        await wire.send(b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path)
    await wire.reader.read()


async def _idle(wire: Wire, chance: random.Random) -> None:
    await wire.send((b"", b"GET /v1/mod", b"GET / HTTP/1.1\r\nX-")[chance.randrange(3)])
    await wire.reader.read()


async def _slow_head(wire: Wire, chance: random.Random) -> None:
    await wire.send(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    await _poured(wire, b"s", pause_s=0.2)


async def _garbage(wire: Wire, chance: random.Random) -> None:
    await _poured(wire, chance.randbytes(chance.randrange(1, 5000)))


async def _unread_pipeline(wire: Wire, chance: random.Random) -> None:
    await _poured(wire, b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50)


async def _strange_host(wire: Wire, chance: random.Random) -> None:
    hosts = (b"", b"Host: evil.test\r\n", b"Host: a\r\nHost: b\r\n")
    host = hosts[chance.randrange(3)]
    await wire.send(b"GET /health HTTP/1.1\r\n" + host + b"\r\n")
    await wire.reader.read(4096)


async def _guesses(wire: Wire, chance: random.Random) -> None:
    for guess in range(10):
        head = b"GET /v1/orgs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
        await wire.send(head + b"%d\r\n\r\n" % guess)
        await wire.answer()


async def _trailers(wire: Wire, chance: random.Random) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    await wire.send(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
    await _poured(wire, b"X-T: " + b"t" * 500 + b"\r\n")


_ACTS: list[Act] = [
    _endless_head,
    _endless_line,
    _nested_percents,
    _idle,
    _idle,
    _slow_head,
    _garbage,
    _unread_pipeline,
    _strange_host,
    _guesses,
    _trailers,
]

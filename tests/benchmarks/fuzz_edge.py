"""Whole, broken and random requests, cut anywhere, against the real server protocol.

`python tests/benchmarks/fuzz_edge.py [--requests N] [--seed N]` (a million: 10 minutes)

In process: what stands between a socket and the application is real, the socket is not.
The laws, for each connection:

    nothing is raised, and the connection ends in a request served, a refusal, or waiting
    for more; there are never more answers than were asked for
    what is whole is answered whole and in order, however it was cut: each answer says
    which target and body it is for
    what is held of a client is at most 128 KB
"""

import argparse
import asyncio
import contextlib
import random
import re
import socket
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from uvicorn.server import ServerState

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.core.error_responses import MISSING_LECTR_KEY
from lectr_lab.proxy.server.body import ClientGone, TooLarge, TooLate, read_body
from lectr_lab.proxy.server.run import _config
from lectr_lab.proxy.server.whole_reply import send_whole

LIMITS = LimitSettings()
_MOST_HELD_BYTES = 128 * 1024
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) ")
_TURNS = 200  # of the event loop, in which an answer must have been given


class Asked(NamedTuple):
    """One whole request, and what its answer says."""

    raw: bytes
    says: bytes


class Socket(asyncio.Transport):
    """A transport that keeps what is written, and closes as asyncio's does: later."""

    def __init__(self, protocol, end: socket.socket) -> None:
        super().__init__({"socket": end})
        self.protocol, self.loop = protocol, asyncio.get_running_loop()
        self.written, self.paused, self.closing, self.lost = [], False, False, False

    def write(self, data) -> None:
        if not self.closing:
            self.written.append(bytes(data))

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self.loop.call_soon(self.lose)

    abort = close

    def lose(self) -> None:
        if not self.lost:
            self.closing = self.lost = True
            self.protocol.connection_lost(None)

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


async def app(scope, receive, send) -> None:
    """Says what it was asked; under /refused it does not read the body."""
    if scope["raw_path"].startswith(b"/refused"):
        refusal = MISSING_LECTR_KEY
        return await send_whole(send, 401, refusal.head(), refusal.body())
    with contextlib.suppress(ClientGone, TooLarge, TooLate):
        body = await read_body(scope, receive, 1_000_000)
        said = answer(scope["raw_path"], body)
        length = [(b"content-length", b"%d" % len(said))]
        await send_whole(send, 200, length, said)


def answer(target: bytes, body: bytes) -> bytes:
    """To one request."""
    return b"<%b %08x>" % (target, zlib.crc32(body))


# What is sent


def request(rng: random.Random) -> Asked:
    """A valid one."""
    place = rng.choice([b"/v1/chat/completions", b"/", b"/v1/%2e%2e/x", b"/refused"])
    target = place + b"?%d" % rng.randrange(10**6) * (rng.random() < 0.5)
    fields = [b"Host: x"] + [field(rng) for _ in range(rng.choice([0, 0, 3, 20, 95]))]
    body = rng.randbytes(rng.choice([0, 1, 10, 1000, 100_000 * (rng.random() < 0.02)]))
    framed = body
    kind = rng.choice(["none", "length", "chunked"])
    if kind == "none":
        body = framed = b""
    elif kind == "length":
        fields.append(b"Content-Length: %d" % len(body))
    else:
        fields.append(b"Transfer-Encoding: chunked")
        framed = chunked(rng, body)
    rng.shuffle(fields)
    method = rng.choice([b"POST", b"PUT"]) if body else rng.choice([b"GET", b"POST"])
    head = b"\r\n".join([b"%b %b HTTP/1.1" % (method, target), *fields])
    said = answer(target.partition(b"?")[0], body)
    if place == b"/refused":
        said = b"missing_lectr_key"
    return Asked(head + b"\r\n\r\n" + framed, said)


def field(rng: random.Random) -> bytes:
    name = b"X-%d" % rng.randrange(1000)
    return name + b": " + b"v" * rng.choice([0, 1, 10, 200])


def chunked(rng: random.Random, body: bytes) -> bytes:
    lines, at = [], 0
    while at < len(body):
        size = rng.choice([1, 7, 100, 70_000])
        piece = body[at : at + size]
        lines.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        at += size
        if len(lines) > 50:
            size = len(body)
    trailer = b"X-Sum: 1\r\n" * rng.choice([0, 0, 1, 3])
    return b"".join(lines) + b"0\r\n" + trailer + b"\r\n"


HOSTILE = [
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b"Host: y\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"x" * 9000,
    b"X: 1\r\n" * 120,
    b"\x16\x03\x01\x02\x00",
]


def broken(rng: random.Random, raw: bytes) -> bytes:
    """Some bytes of it changed, left out, doubled, or others put in."""
    data = bytearray(raw)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.choice([1, 2, 30])]
        elif kind == 2:
            data[at:at] = data[at : at + rng.choice([1, 20, 300])]
        elif kind == 3:
            line = data.find(b"\r\n", at) + 2
            at = rng.choice([at, line])
            data[at:at] = rng.choice(HOSTILE)
        else:
            del data[at:]
    return bytes(data)


def pieces(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """All of it, cut anywhere, as a socket gives it: 64 KB at most."""
    many = rng.choice([0, 0, 1, 3, 30])
    if rng.random() < 0.05 and len(data) < 3000:
        many = len(data)
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(many))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        for at in range(start, end, 65536):
            yield data[at : min(end, at + 65536)]


# One connection


class Edge:
    """The server's side, for any number of connections."""

    def __init__(self) -> None:
        config = _config(app, None, LIMITS)
        self.config, self.connect = config, config.http_protocol_class
        self.end, self.other_end = socket.socketpair()
        self.raised: list[object] = []

    async def talk(self, rng: random.Random) -> tuple[str, int]:
        """One connection from its beginning to its end; how it ended, and how many
        requests were sent. Raises AssertionError where a law is broken."""
        asked = [request(rng) for _ in range(rng.choice([1, 1, 2, 3, 8]))]
        data, is_whole = b"".join(a.raw for a in asked), rng.random() < 0.4
        if not is_whole:
            data = broken(rng, data)
            if rng.random() < 0.05:
                data = rng.randbytes(rng.choice([1, 50, 5000]))
        state = ServerState()
        protocol = self.connect(config=self.config, server_state=state, app_state={})
        sock = Socket(protocol, self.end)
        protocol.connection_made(sock)
        await self._send(rng, protocol, sock, data)
        written = b"".join(sock.written)
        ended = ending(written, sock.closing, bool(state.tasks))
        sock.lose()
        await turns(lambda: not state.tasks)
        assert not state.tasks, "a request outlives its connection"
        assert not self.raised, self.raised
        answers = len(_STATUS.findall(written))
        assert answers <= data.count(b"HTTP/") + 1, "more answers than were asked for"
        if is_whole:
            check_answers(asked, written)
        return ended, len(asked)

    async def _send(self, rng, protocol, sock: Socket, data: bytes) -> None:
        inner = protocol._protocol
        for piece in pieces(rng, data):
            await turns(lambda: not sock.paused or sock.closing)
            if sock.closing or sock.paused:
                return
            protocol.get_buffer(-1)[: len(piece)] = piece
            protocol.buffer_updated(len(piece))
            assert len(inner._held) <= _MOST_HELD_BYTES, "more is held than should be"
            if rng.random() < 0.5:
                await asyncio.sleep(0)
        tasks = protocol._protocol.tasks
        await turns(lambda: sock.closing or (not tasks and not inner._held))


async def turns(is_done) -> None:
    """Let the event loop go round until it is done."""
    for _ in range(_TURNS):
        if is_done():
            return
        await asyncio.sleep(0)


def ending(written: bytes, closing: bool, at_work: bool) -> str:
    """How a connection ended: by whom, or that it did not."""
    answers = _STATUS.findall(written)
    if answers and answers[-1][:1] == b"4":
        return f"refused, {answers[-1].decode()}"
    if at_work or not answers:
        return "waiting"
    return "served, closed" if closing else "served"


def check_answers(asked: list[Asked], written: bytes) -> None:
    """All in order; what follows one whose body was not read may be left out."""
    at = 0
    for one in asked:
        found = written.find(one.says, at)
        statuses = _STATUS.findall(written[:at])
        is_last = statuses[-1:] == [b"401"] and not _STATUS.search(written, at)
        if is_last and b"connection: close" in written:
            return
        assert found >= 0, (one.says, written[at : at + 300])
        at = found + len(one.says)
    assert len(_STATUS.findall(written)) == len(asked), "an answer too many"


async def fuzz(requests: int, seed: int) -> Counter[str]:
    """So many requests on as many connections as it takes; how these ended.

    A connection that breaks a law is told by its number: `Random((seed, number))`.
    """
    edge, endings, sent, number = Edge(), Counter[str](), 0, 0
    told = edge.raised.append
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told(what))
    while sent < requests:
        try:
            ended, count = await edge.talk(random.Random(f"{seed} {number}"))
        except BaseException as error:
            error.add_note(f"seed {seed}, connection {number}")
            raise
        endings[ended] += 1
        sent, number = sent + count, number + 1
    edge.end.close()
    edge.other_end.close()
    return endings


def main() -> None:
    """Fuzz, and say how the connections ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    chosen = parser.parse_args()
    began_s = time.perf_counter()
    endings = asyncio.run(fuzz(chosen.requests, chosen.seed))
    seconds = time.perf_counter() - began_s
    for ended, count in endings.most_common():
        sys.stdout.write(f"{count:>9,}  {ended}\n")
    sys.stdout.write(f"seed {chosen.seed}: every law held, {seconds:.0f} s\n")


if __name__ == "__main__":
    main()

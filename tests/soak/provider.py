"""A real provider on a port, in the soak's own event loop: it says what `replies` tells."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from soak.replies import Reply, reply
from soak.wire import BROKEN


class Provider:
    """`on_asked` is told the number of each request that arrives whole."""

    def __init__(self, on_asked: Callable[[int], object]) -> None:
        self.port = 0
        self.open = 0  # requests that are being answered
        self._on_asked = on_asked

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection: requests, one after another."""
        with contextlib.suppress(*BROKEN):
            while True:
                kind, n = await _asked(reader)
                self._on_asked(n)
                self.open += 1
                try:
                    again = await _answer(reader, writer, reply(kind, n), n)
                finally:
                    self.open -= 1
                if not again:
                    break
        writer.close()


@asynccontextmanager
async def running(on_asked: Callable[[int], object]) -> AsyncIterator[Provider]:
    """A provider, until the block ends."""
    provider = Provider(on_asked)
    server = await asyncio.start_server(provider.talk, "127.0.0.1", 0, backlog=1024)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()


async def _asked(reader: asyncio.StreamReader) -> tuple[str, int]:
    """What a request wants, from its query or its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    if method == "GET":
        query = dict(parse_qsl(urlsplit(target).query))
        return query["kind"], int(query["n"])
    lengths = [f for f in fields if f.lower().startswith("content-length:")]
    body = await reader.readexactly(int(lengths[0].partition(":")[2]))
    wanted = json.loads(body)["metadata"]
    return wanted["kind"], int(wanted["n"])


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: Reply, n: int
) -> bool:
    """False: the connection is over."""
    if said.ends == "at once":
        return False
    if said.ends == "never":
        await reader.read()  # until the proxy gives up too
        return False
    writer.write(_head(said, n))
    for piece in said.pieces:
        framed = b"%x\r\n%b\r\n" % (len(piece), piece)
        writer.write(framed if said.framing == "chunked" else piece)
        await writer.drain()
        await asyncio.sleep(said.pause_s)
    if said.ends == "cut" or said.framing == "close":
        return False
    if said.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    return True


def _head(said: Reply, n: int) -> bytes:
    fields = {**dict(said.headers), "x-soak": str(n)}
    if said.framing == "chunked":
        fields["transfer-encoding"] = "chunked"
    if said.framing == "length":
        fields["content-length"] = str(len(said.body) + (said.ends == "cut") * 99)
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {said.status} Said\r\n{lines}\r\n".encode()

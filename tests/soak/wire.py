"""HTTP/1.1 as a client speaks it: as much of it as the soak needs, down to the reset."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_LINGER = struct.pack("ii", 1, 0)  # close() sends a reset
_MOST_HEAD_BYTES = 1 << 17
BROKEN = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class Answer(NamedTuple):
    """What came back. Status 0: no head."""

    status: int = 0
    headers: Mapping[bytes, bytes] = MappingProxyType({})
    body: bytes = b""
    whole: bool = False


class Wire:
    """One connection to a port of this machine."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Wire":
        """Raises OSError."""
        streams = await asyncio.open_connection(
            "127.0.0.1", port, limit=_MOST_HEAD_BYTES
        )
        return cls(*streams)

    async def send(self, data: bytes) -> None:
        """Hand over bytes, and wait while the peer takes none. Raises OSError."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> Answer:
        """One reply, as far as it comes. Never raises for what a peer does."""
        try:
            status, headers = await self._head()
        except BROKEN:
            return Answer()
        body = bytearray()
        try:
            await self._body(headers, body)
        except BROKEN as error:
            body += getattr(error, "partial", b"")
            return Answer(status, headers, bytes(body))
        return Answer(status, headers, bytes(body), True)

    async def _head(self) -> tuple[int, dict[bytes, bytes]]:
        line, *fields = (await self.reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        pairs = (field.partition(b": ") for field in fields if field)
        return int(line.split()[1]), {name.lower(): value for name, _, value in pairs}

    async def _body(self, headers: dict[bytes, bytes], body: bytearray) -> None:
        if b"content-length" in headers:
            body += await self.reader.readexactly(int(headers[b"content-length"]))
            return
        if b"transfer-encoding" not in headers:
            body += await self.reader.read()
            return
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")

    def say_no_more(self) -> None:
        """Close our half: the peer reads an end."""
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.write_eof()

    def reset(self) -> None:
        """Leave as a program does that is killed."""
        sock = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._writer.transport.abort()

    def close(self) -> None:
        """Leave as usual."""
        self._writer.close()

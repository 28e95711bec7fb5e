"""Reads what clients send, 64 KB at a time.

uvloop's own reads are of 256,000 bytes and hand over a copy: more than a stranger's whole
connection may cost. One buffer serves all, as what is in it is parsed at once.
"""

import asyncio
from typing import Any

from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.protocol import ServerProtocol


class Reader(asyncio.BufferedProtocol):
    """Between a socket and its `ServerProtocol`, which is no buffered one by descent."""

    __slots__ = ("_buffer", "_protocol")

    def __init__(self, crowd: Crowd, **of_uvicorn: Any) -> None:
        self._buffer = crowd.read_buffer
        self._protocol = ServerProtocol(crowd, **of_uvicorn)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """They are there."""
        self._protocol.received(self._buffer, nbytes)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        self._protocol.connection_made(transport)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """It has left, or was told to."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """It reads more slowly than we write."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._protocol.resume_writing()

"""A line between a worker and its parent: messages over a socket that has no name."""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import msgspec

_LENGTH = struct.Struct(">I")
_MOST_BYTES = 64 * 1024 * 1024
_MOST_UNSENT_BYTES = 8 * 1024 * 1024  # of an end that does not read


class Line(asyncio.Protocol):
    """One end. What is said never waits: where the other does not read, it is dropped.

    Args:
        kind: of the messages that come, as msgspec decodes it.
        told: called with each, in their order.
        gone: called once the other end is.
    """

    def __init__(
        self,
        kind: Any,
        told: Callable[[Any], object],
        gone: Callable[[], object] = lambda: None,
    ) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._told, self._gone = told, gone
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()

    def say(self, message: msgspec.Struct) -> bool:
        """Send a message; False where it will not arrive."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            return False
        data = self._encode(message)
        transport.write(_LENGTH.pack(len(data)) + data)
        return True

    def close(self) -> None:
        """End it. What was said is sent."""
        if self._transport is not None:
            self._transport.close()

    # The loop calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Bytes are here: whole messages are told."""
        received = self._received
        received += data
        at, size = 0, _LENGTH.size
        while len(received) - at >= size:
            (length,) = _LENGTH.unpack_from(received, at)
            if length > _MOST_BYTES:
                self.close()
                return
            end = at + size + length
            if len(received) < end:
                break
            with memoryview(received) as view, view[at + size : end] as piece:
                message = self._decode(piece)
            at = end
            self._told(message)
        del received[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._transport = None
        self._gone()

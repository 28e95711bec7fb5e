"""A line between a worker and its parent: messages over a socket that has no name."""

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import msgspec

_LENGTH = struct.Struct(">I")
_MOST_BYTES = 64 * 1024 * 1024
_MOST_UNSENT_BYTES = 8 * 1024 * 1024  # of an end that does not read
_TOGETHER_BYTES = 64 * 1024  # are sent before their time


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
        self._unsent = bytearray()
        self._sending: asyncio.TimerHandle | None = None

    def say(self, message: msgspec.Struct, within_s: float = 0.0) -> bool:
        """Send a message; False where it will not arrive.

        Args:
            message: it arrives behind those before it.
            within_s: how long it may wait for others, which are then sent with it: to
                send and to be woken costs as much for one as for many.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > _MOST_UNSENT_BYTES:
            return False
        data = self._encode(message)
        self._unsent += _LENGTH.pack(len(data))
        self._unsent += data
        if not within_s or len(self._unsent) >= _TOGETHER_BYTES:
            self._send()
        elif self._sending is None:
            loop = asyncio.get_running_loop()
            self._sending = loop.call_later(within_s, self._send)
        return True

    def close(self) -> None:
        """End it. What was said is sent."""
        if self._transport is not None:
            self._send()
            self._transport.close()

    def _send(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        unsent, self._unsent = self._unsent, bytearray()
        if unsent and self._transport is not None:
            self._transport.write(unsent)

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
        self._send()  # nothing any more
        self._gone()

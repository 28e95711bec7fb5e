"""A copy of a reply's body, decompressed as it goes by.

Whatever goes wrong here costs facts and nothing else: the bytes themselves are passed
on as they are.
"""

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import brotli
import zstandard

PIECE_BYTES = 8 * 1024
"""What comes out at a time: the worst of it, events of seven bytes, is read in 5 ms."""

# Of a whole reply: more is a bomb. Streams of small events shrink to a fiftieth.
_ROOM_BYTES = 1024 * 1024
_MOST_UNFOLDED = 200
_MOST_MEMBERS = 10_000  # of gzip, each of which takes 15 µs to begin

_ZSTD_SLICE_BYTES = 64  # at 32,000 to 1 at most, 2 MB of output
_MOST_HELD = 32  # of these slices' outputs, until they are read


class _Codec(Protocol):
    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the data add, some of it at a time; raises where they are corrupt."""


class BodyDecoder:
    """Decompresses one body, given chunk by chunk in order.

    Args:
        content_encoding: the header's value; of several encodings none is read.

    `gave_up` turns true where the body is corrupt, a bomb, or in an encoding that is
    not known here; from then on nothing comes out. `plain` says that nothing is to do.

    >>> import gzip
    >>> BodyDecoder("gzip").feed(gzip.compress(b"hello"))
    b'hello'
    """

    def __init__(self, content_encoding: str) -> None:
        encoding = content_encoding.strip().lower()
        self._codec: _Codec | None = _codec(encoding)
        self.plain = encoding in ("", "identity")
        self.gave_up = self._codec is None and not self.plain
        self._room_bytes = _ROOM_BYTES

    def feed(self, chunk: bytes) -> bytes:
        """What this chunk adds to the body. Never raises."""
        return chunk if self.plain else b"".join(self.pieces(chunk))

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The same in pieces, each decompressed when it is asked for. Never raises."""
        codec = _Plain() if self.plain else self._codec
        if codec is None or not chunk:
            return
        self._room_bytes += len(chunk) * _MOST_UNFOLDED
        try:
            for piece in codec.pieces(chunk):
                self._room_bytes -= len(piece)
                if self._room_bytes < 0:
                    break
                yield piece
        except Exception:  # noqa: BLE001 - each library has errors of its own
            self._room_bytes = -1
        if self._room_bytes < 0:
            self._codec, self.gave_up = None, True


class _Plain:
    def pieces(self, data: bytes) -> Iterator[bytes]:
        return _slices(data, PIECE_BYTES)


class _Inflate:
    """gzip, in one member or several, and what is called deflate: zlib's form, or bare.

    Some recordings say gzip over plain text: it is let through as it is.
    """

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding != "deflate"
        self._inner: Any = None
        self._plain = False
        self._members = 0

    def pieces(self, data: bytes) -> Iterator[bytes]:
        # What follows a member is a copy of the rest: of a slice, it is a small one.
        for some in _slices(data, PIECE_BYTES):
            yield from self._of_slice(some)

    def _of_slice(self, data: bytes) -> Iterator[bytes]:
        piece = b""
        while data or len(piece) == PIECE_BYTES:  # then there may be more of it inside
            if data and (self._inner is None or self._inner.eof):
                self._begin_member(data[0])
            if self._plain:
                yield data
                return
            if self._inner.eof:  # and what follows is not gzip: padding
                return
            piece = self._inner.decompress(data, PIECE_BYTES)
            yield piece
            data = self._inner.unconsumed_tail or self._inner.unused_data

    def _begin_member(self, first_byte: int) -> None:
        if self._gzip and first_byte == 0x1F:
            self._members += 1
            if self._members > _MOST_MEMBERS:
                raise ValueError("too many members")
            self._inner = zlib.decompressobj(31)
        elif self._inner is None and self._gzip:
            self._plain = True
        elif self._inner is None:
            self._inner = zlib.decompressobj(15 if first_byte & 0x0F == 8 else -15)


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        out = self._inner.process(data, output_buffer_limit=PIECE_BYTES)
        yield from _slices(out, PIECE_BYTES)
        # A full buffer: there may be more inside, though it would take more.
        while len(out) >= PIECE_BYTES or not self._inner.can_accept_more_data():
            out = self._inner.process(b"", output_buffer_limit=PIECE_BYTES)
            yield from _slices(out, PIECE_BYTES)


class _Zstd:
    """zstandard has no limit on output: small bites keep it in bounds."""

    def __init__(self) -> None:
        decompressor = zstandard.ZstdDecompressor()
        self._inner = decompressor.decompressobj(read_across_frames=True)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        held: list[bytes] = []
        for some in _slices(data, _ZSTD_SLICE_BYTES):
            held.append(self._inner.decompress(some))
            if sum(map(len, held)) >= PIECE_BYTES or len(held) == _MOST_HELD:
                yield from _slices(b"".join(held), PIECE_BYTES)
                held.clear()
        yield from _slices(b"".join(held), PIECE_BYTES)


def _slices(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def _codec(encoding: str) -> _Codec | None:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate(encoding)
    if encoding == "br":
        return _Brotli()
    if encoding == "zstd":
        return _Zstd()
    return None

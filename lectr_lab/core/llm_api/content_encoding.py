"""A copy of a body, decompressed: a reply's as it goes by, a request's when it is whole.

Whatever goes wrong here costs facts and nothing else: the bytes themselves are passed
on as they are.
"""

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import brotli
import zstandard

from lectr_lab.core.llm_api.lenient_json import QUICK_BYTES, Unread

PIECE_BYTES = 8 * 1024
"""What comes out at a time: the worst of it, events of seven bytes, is read in 5 ms."""

# Of a whole reply: more is a bomb. Streams of small events shrink to a fiftieth.
_ROOM_BYTES = 1024 * 1024
_MOST_UNFOLDED = 200
_MOST_MEMBERS = 10_000  # of gzip, each of which takes 15 µs to begin
_MOST_STACKED = 3
_REQUEST_BYTES = 32 * 1024 * 1024  # of a request, decompressed
_QUICK_PACKED_BYTES = 16 * 1024  # the worst of it, 800 members, takes 12 ms

_ZSTD_SLICE_BYTES = 64  # at 32,000 to 1 at most, 2 MB of output
_MOST_HELD = 32  # of these slices' outputs, until they are read


class _Codec(Protocol):
    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the data add, some of it at a time; raises where they are corrupt."""


class BodyDecoder:
    """Decompresses one body, given chunk by chunk in order.

    Args:
        content_encoding: the header's value; of several encodings the last is undone
            first (RFC 9110, 8.4), and of more than three none is.

    `gave_up` turns true where the body is corrupt, a bomb, or in an encoding that is
    not known here; from then on nothing comes out. `plain` says that nothing is to do.

    >>> import gzip
    >>> BodyDecoder("gzip").feed(gzip.compress(b"hello"))
    b'hello'
    """

    def __init__(self, content_encoding: str) -> None:
        self._room_bytes = _ROOM_BYTES
        if not content_encoding:  # nearly every one
            self._codecs, self.plain, self.gave_up = _ONLY_PLAIN, True, False
            return
        packed = _names(content_encoding)
        codecs = [_codec(name) for name in reversed(packed[:_MOST_STACKED])]
        found = [codec for codec in codecs if codec is not None]
        self._codecs = found or _ONLY_PLAIN
        self.plain = not packed
        self.gave_up = not self.plain and (
            None in codecs or len(packed) > _MOST_STACKED
        )

    def feed(self, chunk: bytes) -> bytes:
        """What this chunk adds to the body. Never raises."""
        return chunk if self.plain else b"".join(self.pieces(chunk))

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The same in pieces, each decompressed when it is asked for. Never raises."""
        if self.gave_up or not chunk:
            return
        self._room_bytes += len(chunk) * _MOST_UNFOLDED
        try:
            yield from self._undone(chunk, self._codecs)
        except Exception:  # noqa: BLE001 - each library has errors of its own
            self.gave_up = True

    def _undone(self, data: bytes, codecs: list[_Codec]) -> Iterator[bytes]:
        """All that is between two encodings takes room, too."""
        for piece in codecs[0].pieces(data):
            self._room_bytes -= len(piece)
            if self._room_bytes < 0:
                raise ValueError("a bomb")
            yield from self._undone(piece, codecs[1:]) if codecs[1:] else (piece,)


def whole_body(
    body: bytes, content_encoding: str, most_bytes: int = _REQUEST_BYTES
) -> bytes | None:
    """A whole body, decompressed.

    Args:
        body: every byte of it.
        content_encoding: as for `BodyDecoder`.
        most_bytes: that may come out.

    Returns:
        None where it is corrupt, a bomb, too long or in an unknown encoding.

    >>> import gzip, zlib
    >>> whole_body(zlib.compress(gzip.compress(b"hello")), "gzip, deflate")
    b'hello'
    """
    decoder = BodyDecoder(content_encoding)
    if decoder.plain:
        return body
    pieces, size = [], 0
    for piece in decoder.pieces(body):
        pieces.append(piece)
        size += len(piece)
        if size > most_bytes:
            return None
    return None if decoder.gave_up else b"".join(pieces)


def whole_body_quickly(body: bytes, content_encoding: str) -> bytes | None:
    """`whole_body`, where that takes some milliseconds at most, whatever was sent.

    Raises:
        Unread: it can take longer; let `whole_body` do it, in another process.
    """
    if BodyDecoder(content_encoding).gave_up:
        return None
    if len(body) > _QUICK_PACKED_BYTES or "," in content_encoding:
        raise Unread
    plain = whole_body(body, content_encoding, QUICK_BYTES)
    if plain is None:
        raise Unread  # it may only be long
    return plain


class _Plain:
    def pieces(self, data: bytes) -> Iterator[bytes]:
        return _slices(data, PIECE_BYTES)


_ONLY_PLAIN: list[_Codec] = [_Plain()]


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


def _names(content_encoding: str) -> list[str]:
    """Of the encodings, in the order in which they were applied."""
    names = [name.strip() for name in content_encoding.lower().split(",")]
    return [name for name in names if name not in ("", "identity")]


def _codec(encoding: str) -> _Codec | None:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate(encoding)
    if encoding == "br":
        return _Brotli()
    if encoding == "zstd":
        return _Zstd()
    return None

"""A copy of a reply's body, decompressed as it goes by.

Whatever goes wrong here costs facts and nothing else: the bytes themselves are passed
on as they are.
"""

import zlib
from typing import Any, Protocol

import brotli
import zstandard

MAX_OUTPUT_BYTES = 16 * 1024 * 1024
"""Of one chunk. A network's chunk is some 100 KB; what makes more of it is a bomb."""

_ZSTD_SLICE_BYTES = 64  # at 32,000 to 1 at most, 2 MB of output


class _Codec(Protocol):
    def decode(self, data: bytes, limit: int) -> bytes:
        """At most about `limit` bytes; raises where the data is corrupt."""


class BodyDecoder:
    """Decompresses one body, given chunk by chunk in order.

    Args:
        content_encoding: the header's value; of several encodings none is read.

    `gave_up` turns true where the body is corrupt, a bomb, or in an encoding that is
    not known here; from then on nothing comes out.

    >>> import gzip
    >>> BodyDecoder("gzip").feed(gzip.compress(b"hello"))
    b'hello'
    """

    def __init__(self, content_encoding: str) -> None:
        encoding = content_encoding.strip().lower()
        self._codec: _Codec | None = _codec(encoding)
        self._plain = encoding in ("", "identity")
        self.gave_up = self._codec is None and not self._plain

    def feed(self, chunk: bytes) -> bytes:
        """What this chunk adds to the body. Never raises."""
        if self._plain:
            return chunk
        if self._codec is None or not chunk:
            return b""
        try:
            decoded = self._codec.decode(chunk, MAX_OUTPUT_BYTES)
        except Exception:  # noqa: BLE001 - each library has errors of its own
            self._give_up()
            return b""
        if len(decoded) >= MAX_OUTPUT_BYTES:
            self._give_up()
        return decoded

    def _give_up(self) -> None:
        self._codec = None
        self.gave_up = True


class _Inflate:
    """gzip, in one member or several, and what is called deflate: zlib's form, or bare.

    Some recordings say gzip over plain text: it is let through as it is.
    """

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding != "deflate"
        self._inner: Any = None
        self._plain = False

    def decode(self, data: bytes, limit: int) -> bytes:
        out = b""
        while data and len(out) < limit:
            if self._inner is None or self._inner.eof:
                self._begin_member(data[0])
            if self._plain:
                return out + data
            if self._inner.eof:  # and what follows is not gzip: padding
                return out
            out += self._inner.decompress(data, limit - len(out))
            data = self._inner.unused_data
        return out

    def _begin_member(self, first_byte: int) -> None:
        if self._gzip and first_byte == 0x1F:
            self._inner = zlib.decompressobj(31)
        elif self._inner is None and self._gzip:
            self._plain = True
        elif self._inner is None:
            self._inner = zlib.decompressobj(15 if first_byte & 0x0F == 8 else -15)


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def decode(self, data: bytes, limit: int) -> bytes:
        decoded: bytes = self._inner.process(data, output_buffer_limit=limit)
        return decoded


class _Zstd:
    """zstandard has no limit on output: small bites keep it in bounds."""

    def __init__(self) -> None:
        decompressor = zstandard.ZstdDecompressor()
        self._inner = decompressor.decompressobj(read_across_frames=True)

    def decode(self, data: bytes, limit: int) -> bytes:
        out, size = [], 0
        for start in range(0, len(data), _ZSTD_SLICE_BYTES):
            out.append(self._inner.decompress(data[start : start + _ZSTD_SLICE_BYTES]))
            size += len(out[-1])
            if size >= limit:
                break
        return b"".join(out)


def _codec(encoding: str) -> _Codec | None:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate(encoding)
    if encoding == "br":
        return _Brotli()
    if encoding == "zstd":
        return _Zstd()
    return None

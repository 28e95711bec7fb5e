"""An export's file: one that is a file, and no larger unpacked than is said here."""

import gzip
import io
import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO

import zstandard

from lectr_lab.core.errors import LogError
from lectr_lab.files import open_regular

MOST_UNPACKED_BYTES = 256 * 1024 * 1024
"""A gigabyte of zeros takes a megabyte: what is packed may be no larger than this."""


def opened(source: Path) -> IO[bytes]:
    """An export, unpacked where it is packed with gzip, zlib or zstd.

    Raises:
        LogError: it unpacks to more than 256 MB, or cannot be unpacked.
        OSError: there is none, it is no file, or cannot be read.
    """
    file = os.fdopen(open_regular(source), "rb")
    head = file.read(4)
    file.seek(0)
    unpack = next((u for mark, u in _PACKED.items() if head.startswith(mark)), None)
    if unpack is None:
        return file
    with file:
        try:
            data = unpack(file, MOST_UNPACKED_BYTES + 1)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            raise LogError(f"{source} cannot be unpacked: {error}.") from None
    if len(data) > MOST_UNPACKED_BYTES:
        raise LogError(
            f"{source} unpacks to more than {MOST_UNPACKED_BYTES >> 20} MB. If it is what "
            "you think it is, unpack it and import the file that comes out."
        )
    return io.BytesIO(data)


def _gzip(file: IO[bytes], most: int) -> bytes:
    return gzip.GzipFile(fileobj=file).read(most)


def _zlib(file: IO[bytes], most: int) -> bytes:
    return zlib.decompressobj().decompress(file.read(), most)


def _zstd(file: IO[bytes], most: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(
        file, read_across_frames=True
    ) as reader:
        return reader.read(most)


_PACKED: Mapping[bytes, Callable[[IO[bytes], int], bytes]] = MappingProxyType(
    {
        b"\x1f\x8b": _gzip,
        b"x\x01": _zlib,
        b"x\x9c": _zlib,
        b"x\xda": _zlib,
        b"\x28\xb5\x2f\xfd": _zstd,
    }
)
"""How a packed file begins, and what unpacks it up to a length."""

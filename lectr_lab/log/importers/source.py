"""An export's file: one that is a file, and no larger unpacked than is said here."""

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

import msgspec
import zstandard

from lectr_lab.core.errors import LogError
from lectr_lab.core.llm_api.lenient_json import loads
from lectr_lab.files import open_regular

MOST_UNPACKED_BYTES = 256 * 1024 * 1024
"""A gigabyte of zeros takes a megabyte: what is packed may be no larger than this."""

_BOM = b"\xef\xbb\xbf"
_LISTS = ("data", "results", "rows", "items")  # where a page of an API keeps its rows


class Values(NamedTuple):
    """The JSON values of a file; None for a line that is none. `total` 0: not known."""

    total: int
    values: Iterator[Any]


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


def files_in(source: Path, *patterns: str) -> list[Path]:
    """The file itself, or the files below a folder whose names fit, in their order.

    Raises:
        LogError: it is a folder without such a file.
    """
    if not source.is_dir():
        return [source]
    found = {f for p in patterns for f in source.rglob(p) if f.is_file()}
    if not found:
        named = " or ".join(patterns)
        raise LogError(f"{source} is a folder without any file {named}.")
    return sorted(found)


def json_values(source: Path) -> Values:
    """The values of a file: the items of its list, or of a page's list, or its lines.

    Lines are read one by one; another document has to fit into memory once.

    Raises:
        LogError: the file is empty, or cannot be unpacked.
        OSError: it cannot be read.
    """
    with opened(source) as file:
        first = _first_line(file)
        if not first:
            raise LogError(f"{source} is empty.")
        is_line = first[:1] == b"{" and loads(first) is not None
        if is_line and _first_line(file):
            return Values(0, _lines(source))
        file.seek(0)
        whole = file.read().removeprefix(_BOM)
    try:
        items = msgspec.json.decode(whole, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        return Values(len(items), (loads(bytes(item)) for item in items))
    found = loads(whole)
    if found is None:  # one line of many may be no JSON, the first as any other
        return Values(0, _lines(source))
    found = _page(found)
    return Values(len(found), iter(found))


def _page(document: Any) -> list[Any]:
    """The rows of a document that is no line of many."""
    if isinstance(document, dict):
        lists = (document.get(key) for key in _LISTS)
        return next((rows for rows in lists if isinstance(rows, list)), [document])
    return document if isinstance(document, list) else [document]


def _first_line(file: IO[bytes]) -> bytes:
    """The next line that is not blank; empty at the end."""
    for line in file:
        if text := line.removeprefix(_BOM).strip():
            return text
    return b""


def _lines(source: Path) -> Iterator[Any]:
    with opened(source) as file:
        for line in file:
            if text := line.removeprefix(_BOM).strip():
                yield loads(text)


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

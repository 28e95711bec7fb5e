"""A segment: the file in which events wait, from their end to their Parquet part.

    header   "lectrlog" · u16 format version · u16 schema version
    batch    u32 length · u32 crc32 of the payload · payload: msgpack array of events

Why so: a batch is one `write()`, so it survives `kill -9` once that has returned; what
a dying process leaves half written fails its length or checksum, and reading stops
there. Events are arrays in the order of the schema: fields added at the end later are
simply absent, and read as their defaults. No payload is empty, so the zeros that a
power cut can leave at the end of a file are no batches either.

A writer holds flock on its segments while it lives; the kernel lets go when it dies, so
"has its writer ended?" needs no pid and no clock.
"""

import contextlib
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.log.folder import leads_to, segment_date

FORMAT_VERSION = 1
_MAGIC = b"lectrlog"
_HEADER = struct.Struct("<8sHH")
_FRAME = struct.Struct("<II")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Event])


class NewerSegmentError(LogError):
    """A segment written by a newer lectr_lab: whole, but not ours to read."""


class Segment(NamedTuple):
    """What a segment holds. `torn_bytes` at its end could not be read."""

    events: list[Event]
    date: date
    torn_bytes: int


def read_segment(path: Path) -> Segment:
    """Read a segment, live or not, up to the first batch that is not whole.

    Args:
        path: `journal/<YYYY-MM-DD>.<name>.journal`.

    Returns:
        Its events in the order written, and how many bytes at the end were skipped.

    Raises:
        LogError: it is not a segment, or a newer lectr_lab wrote it; names the file.
        OSError: it cannot be read.
    """
    day = segment_date(path)
    if day is None:
        raise LogError(f"{path} does not have the name of a journal segment.")
    data = path.read_bytes()
    if len(data) < _HEADER.size:
        return Segment([], day, len(data))
    _check_header(path, data)
    events: list[Event] = []
    at = _HEADER.size
    while (found := _batch_at(data, at)) is not None:
        events += found[0]
        at = found[1]
    return Segment(events, day, len(data) - at)


def is_alive(path: Path) -> bool:
    """The segment's writer lives and may still append to it.

    Raises:
        OSError: the segment is gone, or cannot be opened.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold a finished segment; yields False where it is alive, gone or held already."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        yield try_lock(fd) and leads_to(path, fd)
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Lock an open file or folder for us alone; False where another has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def header() -> bytes:
    """What a segment begins with."""
    return _HEADER.pack(_MAGIC, FORMAT_VERSION, SCHEMA_VERSION)


def batch(prefix: bytes, events: list[Event]) -> bytearray:
    """A prefix and one batch: the bytes of one write."""
    start = len(prefix) + _FRAME.size
    buffer = bytearray(prefix + bytes(_FRAME.size))
    try:
        _encoder.encode_into(events, buffer, start)
    except (OverflowError, TypeError, UnicodeEncodeError):
        _encoder.encode_into([_mended(e) for e in events], buffer, start)
    payload = memoryview(buffer)[start:]
    _FRAME.pack_into(buffer, len(prefix), len(payload), zlib.crc32(payload))
    return buffer


def _mended(event: Event) -> Event:
    """The event without what cannot be written: one odd value costs no row."""
    changes: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        try:
            _encoder.encode(value)
        except UnicodeEncodeError:  # half a surrogate pair, from a client's JSON
            changes[name] = value.encode("utf-8", "replace").decode()
        except (OverflowError, TypeError):
            changes[name] = None
    return msgspec.structs.replace(event, **changes)


def _check_header(path: Path, data: bytes) -> None:
    magic, format_version, schema_version = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise LogError(
            f"{path} is not a journal segment: it begins with other bytes. Move it "
            "away, or run `lectr-lab doctor`."
        )
    if format_version > FORMAT_VERSION or schema_version > SCHEMA_VERSION:
        raise NewerSegmentError(
            f"{path} was written by a newer lectr_lab (format {format_version}, schema "
            f"{schema_version}; this one reads {FORMAT_VERSION} and {SCHEMA_VERSION}). "
            "Upgrade with `pip install --upgrade lectr-lab`."
        )


def _batch_at(data: bytes, at: int) -> tuple[list[Event], int] | None:
    """The batch at an offset, and the next one's; None where there is no whole one."""
    if len(data) - at < _FRAME.size:
        return None
    length, checksum = _FRAME.unpack_from(data, at)
    payload = memoryview(data)[at + _FRAME.size :][:length]
    if len(payload) < length or zlib.crc32(payload) != checksum:
        return None
    try:
        return _events(payload), at + _FRAME.size + length
    except (msgspec.DecodeError, TypeError):
        return None


def _events(payload: memoryview) -> list[Event]:
    try:
        return _decoder.decode(payload)
    except msgspec.ValidationError:
        # A value outside its type or list of names still belongs to a real request.
        names = Event.__struct_fields__
        rows = msgspec.msgpack.decode(payload, type=list[list[Any]])
        return [Event(**dict(zip(names, row, strict=False))) for row in rows]

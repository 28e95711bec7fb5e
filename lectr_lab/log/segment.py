"""A segment: the file in which events wait, from their end to their Parquet part.

    header   "lectrlog" · u16 format version · u16 schema version
    batch    a frame (`log/frames.py`): length, checksum, msgpack array of events

Why so: a batch is one `write()`, so it survives `kill -9` once that has returned; what
a dying process leaves half written, or a bad disk changes, fails its length or checksum,
and reading goes on at the next whole batch. Events are arrays in the order of the
schema: fields added at the end later are simply absent, and read as their defaults. No
payload is empty, so the zeros that a power cut can leave at the end of a file are no
batches either.

A writer holds flock on its segments while it lives; the kernel lets go when it dies, so
"has its writer ended?" needs no pid and no clock.
"""

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.files import open_regular, read_regular
from lectr_lab.log.folder import leads_to, segment_date
from lectr_lab.log.frames import (
    FRAME,
    Frames,
    Unread,
    fields,
    frame_head,
    frames,
    payload,
    together,
    unread,
)

FORMAT_VERSION = 1
_MAGIC = b"lectrlog"
_HEADER = struct.Struct("<8sHH")

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Event])


class NewerSegmentError(LogError):
    """A segment written by a newer lectr_lab: whole, but not ours to read."""


class Segment(NamedTuple):
    """What a segment holds, and what of it could not be read."""

    events: list[Event]
    date: date
    unread: Unread


def read_segment(path: Path, *, ended: bool = False) -> Segment:
    """Read every whole batch of a segment, live or not.

    Args:
        path: `journal/<YYYY-MM-DD>.<name>.journal`, or `.bad` where it was set aside.
        ended: its writer is known to have ended; else the kernel is asked.

    Returns:
        Its events in the order written. What a living writer has not finished yet is
        not among what could not be read.

    Raises:
        LogError: it is not named as a segment, or a newer lectr_lab wrote it; names the
            file.
        OSError: it cannot be read.
    """
    day, data, found, lost = _examined(path, ended)
    events: list[Event] = []
    for frame in found.whole:
        rows = _decoded(payload(data, frame))
        if rows is None:
            lost = together([lost, unread(data, [frame])])
        else:
            events += rows
    return Segment(events, day, lost)


def read_on(path: Path, at: int = 0) -> tuple[list[Event], int]:
    """The whole batches of a segment from a place on, for who looks again and again.

    Args:
        path: as `read_segment` takes it.
        at: where the last look ended; 0 at the first.

    Returns:
        Their events, and where the next look begins. What is damaged is passed over.

    Raises:
        OSError: it cannot be read, or is gone.
    """
    data = read_regular(path, follow=False)
    if len(data) < _HEADER.size:
        return [], 0
    found = frames(data, max(at, _HEADER.size))
    events: list[Event] = []
    for frame in found.whole:
        events += _decoded(payload(data, frame)) or []
    return events, found.whole[-1][1] if found.whole else at


def unread_in(path: Path, *, ended: bool = False) -> Unread:
    """What `read_segment` could not, but for whole batches that hold no events.

    At a tenth of the cost: no event is decoded.
    """
    return _examined(path, ended)[-1]


def is_alive(path: Path) -> bool:
    """The segment's writer lives and may still append to it.

    Raises:
        OSError: the segment is gone, is no file, or cannot be opened.
    """
    fd = open_regular(path, follow=False)
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
    """Hold a finished segment; yields False where it is alive, gone or held already.

    Raises:
        OSError: it is no file, or cannot be opened.
    """
    try:
        fd = open_regular(path, follow=False)
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
    start = len(prefix) + FRAME.size
    buffer = bytearray(prefix + bytes(FRAME.size))
    try:
        _encoder.encode_into(events, buffer, start)
    except (OverflowError, TypeError, UnicodeEncodeError):
        _encoder.encode_into([_mended(e) for e in events], buffer, start)
    buffer[len(prefix) : start] = frame_head(memoryview(buffer)[start:])
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


def _examined(path: Path, ended: bool) -> tuple[date, bytes, Frames, Unread]:
    """A segment's date, its bytes, its frames, and what was lost between them."""
    day = segment_date(path)
    if day is None:
        raise LogError(f"{path} does not have the name of a journal segment.")
    data = read_regular(path, follow=False)
    has_header = len(data) >= _HEADER.size
    found = frames(data, _HEADER.size if has_header else 0)
    if found.unfinished and not ended and not is_alive(path):
        return _examined(path, ended=True)  # it may have gone on before it ended
    lost = unread(data, found.lost + (found.unfinished if ended else []))
    if has_header:
        lost = together([lost, _unread_header(path, data, found)])
    return day, data, found, lost


def _unread_header(path: Path, data: bytes, found: Frames) -> Unread:
    """What is not a header of ours is damage, for each batch vouches for itself.

    Unless it is a newer one's: that has another version, and not by one flipped bit in
    front of rows that are no longer than ours.
    """
    magic, format_version, schema_version = _HEADER.unpack_from(data)
    known = {
        _HEADER.pack(_MAGIC, format_version, schema_version)
        for format_version in range(1, FORMAT_VERSION + 1)
        for schema_version in range(1, SCHEMA_VERSION + 1)
    }
    here = data[: _HEADER.size]
    if here in known:
        return Unread()
    slipped = any(_flipped_bits(here, header) == 1 for header in known)
    ours = 0 < fields(data, found.whole) <= len(Event.__struct_fields__)
    newer = format_version > FORMAT_VERSION or schema_version > SCHEMA_VERSION
    if magic == _MAGIC and newer and not (slipped and ours):
        raise NewerSegmentError(
            f"{path} was written by a newer lectr_lab (format {format_version}, schema "
            f"{schema_version}; this one reads {FORMAT_VERSION} and {SCHEMA_VERSION}). "
            "Upgrade with `pip install --upgrade lectr-lab`."
        )
    return Unread(bytes=len(here))


def _flipped_bits(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _decoded(held: memoryview) -> list[Event] | None:
    """The events of a payload; None where they are none, although they are whole."""
    try:
        return _events(held)
    except (msgspec.DecodeError, TypeError, RecursionError):
        return None


def _events(held: memoryview) -> list[Event]:
    try:
        return _decoder.decode(held)
    except msgspec.ValidationError:
        # A value outside its type or list of names still belongs to a real request.
        names = Event.__struct_fields__
        rows = msgspec.msgpack.decode(held, type=list[list[Any]])
        return [Event(**dict(zip(names, row, strict=False))) for row in rows]

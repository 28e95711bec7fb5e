"""Frames: batches of events that can be found again behind others that are damaged.

    frame    u32 length · u32 crc32 of the payload · payload: msgpack array of events

A reader goes from frame to frame by their lengths. Where one is damaged it looks for
the next that is whole, from how the payload of one begins: with an array of events, each
an array of 16 fields or more whose first is 16 bytes. That alone is not believed: the
checksum must agree. And no client's words can pass for a frame, for `_EVENT` is not
UTF-8, and all text in a payload is.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lectr_lab.core import formatting

FRAME = struct.Struct("<II")

_EVENT = re.compile(rb"\xdc\x00(.)\xc4\x10", re.DOTALL)
_PAYLOAD = re.compile(
    rb"(?=(?:[\x91-\x9f]|\xdc..|\xdd....)" + _EVENT.pattern + rb")", re.DOTALL
)
# Bytes that may be summed up in vain, for each byte of the file: whoever fills a file
# with lengths that look right makes it unread, not slow to read.
_IN_VAIN = 64

Span = tuple[int, int]


class Unread(NamedTuple):
    """What could not be read: batches of a journal, and files of the log.

    `bytes` are those of both, `events` how many were in them at least. `unsealed` are
    files of the journal of which no sealer can make a part.
    """

    batches: int = 0
    bytes: int = 0
    events: int = 0
    files: int = 0
    unsealed: int = 0

    @property
    def things(self) -> int:
        """How much there is to be said; 0 where nothing with an event in it is lost."""
        return self.batches + self.files + self.unsealed

    def in_words(self) -> str:
        """Part of a sentence.

        >>> Unread(1, 3400, 20).in_words()
        '1 batch (3,400 bytes, at least 20 events) could not be read'
        >>> Unread(0, 12, 0).in_words()
        '12 bytes without an event could not be read'
        >>> Unread(1, 3400, 0, 2, 1).in_words()
        '2 files and 1 batch (3,400 bytes) could not be read; 1 file could not be sealed'
        """
        said = [self._not_read()] if self.bytes or self.batches or self.files else []
        if self.unsealed:
            said.append(f"{_counted(self.unsealed, 'file', 's')} could not be sealed")
        return "; ".join(said)

    def _not_read(self) -> str:
        size = _counted(self.bytes, "byte", "s")
        files = [_counted(self.files, "file", "s")] * (self.files > 0)
        batches = [_counted(self.batches, "batch", "es")] * (self.batches > 0)
        what = " and ".join(files + batches)
        if not what:
            return f"{size} without an event could not be read"
        least = f", at least {_counted(self.events, 'event', 's')}" * (self.events > 0)
        return f"{what} ({size}{least}) could not be read"


class Frames(NamedTuple):
    """Where the frames of a file lie. Each span of `lost` is a batch, by all signs.

    `unfinished` is at the end: a write under way, or one that was never finished.
    """

    whole: list[Span]
    lost: list[Span]
    unfinished: list[Span]


def frames(data: bytes, at: int) -> Frames:
    """Find every whole frame, in time that grows with the bytes and with nothing else.

    Args:
        data: a file of frames.
        at: where the first one begins.

    Returns:
        All bytes from there on, as spans: whole, lost or not finished.

    >>> frames(frame_head(b"payload") + b"payload" + b"half", 0)
    Frames(whole=[(0, 15)], lost=[], unfinished=[(15, 19)])
    """
    whole: list[Span] = []
    lost: list[Span] = []
    for start, end in _whole(data, at):
        if start > at:
            lost += _split(data, at, start)
        whole.append((start, end))
        at = end
    if at == len(data):
        return Frames(whole, lost, [])
    *bad, last = _split(data, at, len(data))
    # A file is as long as what was written: nobody is at work on what has its end there.
    if _said_end(data, last[0]) is not None:
        return Frames(whole, [*lost, *bad, last], [])
    return Frames(whole, lost + bad, [last])


def frame_head(payload: bytes | memoryview) -> bytes:
    """What stands before a payload."""
    return FRAME.pack(len(payload), zlib.crc32(payload))


def payload(data: bytes, frame: Span) -> memoryview:
    """What a frame holds."""
    return memoryview(data)[frame[0] + FRAME.size : frame[1]]


def unread(data: bytes, spans: Iterable[Span]) -> Unread:
    """Spans that could not be read, counted; an event counts where its head is there."""
    spans = list(spans)
    return Unread(
        len(spans),
        sum(end - start for start, end in spans),
        sum(len(_EVENT.findall(data, *span)) for span in spans),
    )


def fields(data: bytes, spans: Iterable[Span]) -> int:
    """How many fields the first event has that is found in these; 0 without any."""
    found = (_EVENT.search(data, *span) for span in spans)
    return next((event[1][0] for event in found if event), 0)


def together(some: Iterable[Unread]) -> Unread:
    """All of it, added up.

    >>> together([Unread(1, 10, 2), Unread(2, 5, 0)])
    Unread(batches=3, bytes=15, events=2, files=0, unsealed=0)
    """
    return Unread(*map(sum, zip(Unread(), *some, strict=True)))


def _counted(n: int, what: str, several: str) -> str:
    return f"{formatting.count(n)} {what}{several * (n != 1)}"


def _whole(data: bytes, at: int) -> Iterator[Span]:
    """The frames whose checksums agree, in order; none lies in another."""
    credit = _IN_VAIN * len(data)
    while True:
        for start in _candidates(data, at):
            end = _said_end(data, start)
            if end is None:
                continue
            if _agrees(data, start, end):
                break
            credit -= end - start
            if credit < 0:
                return
        else:
            return
        yield start, end
        at = end


def _candidates(data: bytes, at: int) -> Iterator[int]:
    yield at
    for found in _PAYLOAD.finditer(data, at + FRAME.size + 1):
        yield found.start() - FRAME.size


def _said_end(data: bytes, at: int) -> int | None:
    """Where a frame ends by its own length; None where that is not in the data."""
    if len(data) - at < FRAME.size:
        return None
    length: int = FRAME.unpack_from(data, at)[0]
    end = at + FRAME.size + length
    return end if end <= len(data) else None


def _agrees(data: bytes, start: int, end: int) -> bool:
    """The checksum does. No payload is empty: zeros are no frame."""
    held = payload(data, (start, end))
    return len(held) > 0 and zlib.crc32(held) == FRAME.unpack_from(data, start)[1]


def _split(data: bytes, at: int, end: int) -> Iterator[Span]:
    """What could not be read, as the batches that it was.

    A length there is followed where it leads to what begins like another batch.
    """
    while True:
        after = _said_end(data, at)
        if (
            after is None
            or after >= end
            or not _PAYLOAD.match(data, after + FRAME.size)
        ):
            yield at, end
            return
        yield at, after
        at = after

"""Frames: what is whole is found, whatever lies around it, in time for its size alone."""

from datetime import UTC, datetime

import msgspec
import pytest
from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.log import frames as log_frames
from lectr_lab.log.frames import FRAME, Unread, frame_head, frames, payload, unread


def events(*numbers: int, feature: str = "chat") -> list[Event]:
    return [
        Event(
            event_id=number.to_bytes(16),
            started_at=datetime(2026, 11, 24, tzinfo=UTC),
            org="acme",
            feature=feature,
            path="/v1/chat/completions",
            operation="chat",
            outcome="ok",
            total_ms=number / 8,
        )
        for number in numbers
    ]


def frame(*numbers: int, feature: str = "chat") -> bytes:
    held = msgspec.msgpack.encode(events(*numbers, feature=feature))
    return frame_head(held) + held


def numbers(data: bytes) -> list[int]:
    """The events that can be read, each by its number."""
    held = [payload(data, span) for span in frames(data, 0).whole]
    rows = (msgspec.msgpack.decode(one, type=list[Event]) for one in held)
    return [int.from_bytes(event.event_id) for some in rows for event in some]


# One event, some, and more than 15 and 65,535: arrays of each kind.
SIZES = st.sampled_from([1, 2, 15, 16, 40, 220])
DAMAGE = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 2**20), st.integers(0, 7)),
    st.tuples(st.just("cut"), st.integers(0, 2**20), st.integers(1, 300)),
    st.tuples(st.just("zeros"), st.integers(0, 2**20), st.integers(1, 300)),
)


@given(
    sizes=st.lists(SIZES, min_size=1, max_size=5), harms=st.lists(DAMAGE, max_size=3)
)
def test_whatever_happens_to_some_batches_the_others_are_read(sizes, harms):
    """Bits, holes and zeros cost the batches that they touch, and none else."""
    batches, first = [], 0
    for size in sizes:
        batches.append(list(range(first, first + size)))
        first += size
    whole = [bytearray(frame(*batch)) for batch in batches]
    for kind, place, much in harms:
        n = place % len(whole)
        at = place % (len(whole[n]) or 1)
        if kind == "flip" and whole[n]:
            whole[n][at] ^= 1 << much
        elif kind == "cut":
            del whole[n][at : at + much]
        elif kind == "zeros":
            zeroed = bytes(len(whole[n][at : at + much]))
            whole[n][at : at + much] = zeroed
    data = bytes(bytearray().join(whole))

    found = frames(data, 0)

    intact = [
        batch for batch, now in zip(batches, whole, strict=True) if now == frame(*batch)
    ]
    assert numbers(data) == [number for batch in intact for number in batch]
    spans = sorted([*found.whole, *found.lost, *found.unfinished])
    assert sum(end - start for start, end in spans) == len(data)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


def test_as_many_batches_are_said_lost_as_were():
    """Neighbours with a length of their own are two; a wrong length makes no third."""
    a, b, c = frame(1, 2), frame(3), frame(4, 5)
    ruined = bytearray(a + b + c)
    for at in (len(a) - 1, len(a + b) - 1):
        ruined[at] ^= 1
    shorter = bytearray(a + b + c)
    FRAME.pack_into(shorter, 0, 60, 0)

    for data, lost in ((ruined, [len(a), len(b)]), (shorter, [len(a)])):
        found = frames(bytes(data), 0)
        assert [end - start for start, end in found.lost] == lost
    assert unread(bytes(ruined), frames(bytes(ruined), 0).lost) == (
        Unread(2, len(a + b), 3)
    )


@pytest.mark.parametrize("there", [1, 7, 8, 12, 60, 100])
def test_what_is_still_being_written_is_not_lost(there):
    """Its length leads past the end, or is not there; a batch that is all there and
    wrong is lost at once, though nothing follows."""
    a, b = frame(1), frame(2)
    bad = b[:-1] + b"?"

    assert frames(a + b[:there], 0).unfinished == [(len(a), len(a) + there)]
    assert frames(a + b[:there], 0).lost == []
    assert frames(a + bad, 0).lost == [(len(a), len(a + b))]
    both = frames(bad + frame(3)[:there], 0)
    assert (both.lost != []) and both.whole == []


def test_no_clients_words_pass_for_a_batch():
    """A whole frame within a name is text, also where what is around it is damaged."""
    forged = frame(666)
    for text in (forged.decode("latin-1"), forged.decode("utf-8", "replace")):
        data = bytearray(frame(1, feature=text) + frame(2))
        data[5] ^= 1

        assert numbers(bytes(data)) == [2]


def hostile_lengths(size: int) -> bytes:
    """Beginnings of payloads everywhere, each with a length that just fits."""
    unit = b"\0\0\0\0" + b"sums" + b"\x91\xdc\x00\x40\xc4\x10"
    data = bytearray(unit * (size // len(unit)))
    for at in range(0, len(data) - len(unit), len(unit)):
        FRAME.pack_into(data, at, len(data) - at - FRAME.size, 1)
    return bytes(data)


def zeros(size: int) -> bytes:
    return bytes(size)


def beginnings(size: int) -> bytes:
    return b"\x91\xdc\x00\x40\xc4\x10" * (size // 6)


def arrays(size: int) -> bytes:
    return b"\xdc" * size


def tiny(size: int) -> bytes:
    """Frames of one byte, every second one wrong."""
    good = frame_head(b"\x90") + b"\x90"
    return (good + good[:-1] + b"?") * (size // 18)


@pytest.mark.parametrize("make", [hostile_lengths, zeros, beginnings, arrays, tiny])
def test_time_for_a_byte_does_not_grow_with_the_file(make):
    """Eight times the bytes take eight times as long, whoever made them."""
    bound_s = 3 * per_byte_s(make(200_000)) + 1e-8

    assert per_byte_s(make(1_600_000), bound_s) < bound_s


def per_byte_s(data: bytes, enough_s: float = 0.0) -> float:
    work, enough_s = lambda: unread(data, frames(data, 0).lost), enough_s * len(data)
    return cpu_s(work, enough_s=enough_s) / len(data)


def test_sums_in_vain_are_bounded(monkeypatch):
    """What is beyond the bound is unread, and said to be."""
    summed = 0

    def crc32(held: memoryview) -> int:
        nonlocal summed
        summed += len(held)
        return 0

    data = hostile_lengths(300_000)
    monkeypatch.setattr(log_frames.zlib, "crc32", crc32)
    found = frames(data, 0)

    assert summed <= 65 * len(data)
    assert found.whole == []
    assert sum(end - start for start, end in found.lost + found.unfinished) == len(data)


def test_what_was_lost_has_words():
    """One or more; nothing is said of events where none is known."""
    many, one = Unread(2, 5000, 0), Unread(1, 9, 1)

    assert many.in_words() == "2 batches (5,000 bytes) could not be read"
    assert one.in_words() == "1 batch (9 bytes, at least 1 event) could not be read"

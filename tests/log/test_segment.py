"""Segments: what is whole is read, what is not is counted, and nothing raises."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
from datetime import date
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.core.event_v1 import EventV1
from lectr_lab.log.folder import LabFolder, segment_date
from lectr_lab.log.frames import Unread, frame_head
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.segment import (
    FORMAT_VERSION,
    NewerSegmentError,
    batch,
    claimed,
    header,
    is_alive,
    read_on,
    read_segment,
    unread_in,
)

HEADER_BYTES = len(header())


@pytest.fixture
def path(lab):
    """Where a segment may be."""
    return lab.segment(date(2026, 11, 24), "a" * 32)


def whole(*batches: list[Event]) -> bytes:
    return header() + b"".join(batch(b"", events) for events in batches)


def test_a_cut_at_any_byte_leaves_the_whole_batches(path, make_events):
    """However a write is interrupted, a prefix of the batches is there."""
    batches = [make_events(2), make_events(1), make_events(3)]
    data = whole(*batches)
    ends = [len(whole(*batches[:n])) for n in range(4)]

    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        complete = sum(end <= length for end in ends[1:])
        events, day, unread = read_segment(path)

        assert events == [e for b in batches[:complete] for e in b]
        assert day == date(2026, 11, 24)
        torn = length - (ends[complete] if length >= ends[0] else 0)
        assert unread[:2] == (int(torn > 0), torn)


@pytest.mark.parametrize("alive", [False, True])
def test_one_flipped_bit_costs_its_batch_and_is_said(path, make_events, alive):
    """Any bit: of the header, a length, a checksum or a payload."""
    batches = [make_events(n) for n in (1, 3, 2)]
    data = whole(*batches)
    ends = [len(whole(*batches[:n])) for n in range(4)]
    path.touch()
    with path.open("r+b") as file:
        if alive:
            fcntl.flock(file, fcntl.LOCK_EX)
        for position, bit in product(range(len(data)), range(8)):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            file.seek(0)
            file.write(flipped)
            file.flush()
            hit = sum(end <= position for end in ends) - 1  # -1: the header

            events, _, unread = read_segment(path)

            others = [b for n, b in enumerate(batches) if n != hit]
            assert events == [e for batch in others for e in batch]
            assert unread_in(path) == unread
            if hit < 0:
                assert unread == Unread(0, HEADER_BYTES, 0)
            elif unread.bytes or not alive:
                assert unread[:2] == (1, ends[hit + 1] - ends[hit])
                assert len(batches[hit]) - 1 <= unread.events <= len(batches[hit])
            else:  # a length that leads past the end: as if more were to come
                assert (hit, position - ends[hit] < 4) == (2, True)


@given(tail=st.binary(min_size=1, max_size=64) | st.integers(1, 64).map(bytes))
def test_what_is_no_batch_is_no_event(tmp_path_factory, tail):
    """Zeros after a power cut, or anything else, are counted as lost."""
    lab = LabFolder(tmp_path_factory.getbasetemp())
    lab.journal.mkdir(exist_ok=True)
    path = lab.segment(date(2026, 11, 24), "b" * 32)
    path.write_bytes(header() + tail)

    assert read_segment(path) == ([], date(2026, 11, 24), Unread(1, len(tail), 0))


def test_a_file_of_something_else_is_lost_as_a_whole(path):
    """Nothing in it vouches for itself."""
    path.write_bytes(b"x" * 200)

    assert read_segment(path).unread == Unread(1, 200, 0)


def test_what_a_living_writer_has_not_finished_is_not_lost(path, make_events):
    """It is once the writer has ended."""
    data = whole(make_events(2), make_events(3))
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(data[:-7])
        file.flush()
        begun = read_segment(path)
    ended = read_segment(path)

    assert len(begun.events) == len(ended.events) == 2
    assert begun.unread == Unread()
    assert ended.unread.batches == 1


@pytest.mark.parametrize("held", [b"\x91\x01", b"\x91" * 200_000 + b"\x90", b"\xc1"])
def test_a_batch_that_holds_no_events_costs_no_other(path, make_events, held):
    """Also where its checksum is right, however deep it is nested."""
    first, last = make_events(2), make_events(1)
    odd = frame_head(held) + held
    path.write_bytes(whole(first) + odd + batch(b"", last))

    assert read_segment(path)[::2] == (first + last, Unread(1, len(odd), 0))


def test_a_longer_row_under_a_newer_version_is_a_newer_writers(path, make_events):
    """One flipped bit makes version 6 of 2; rows with more columns are no accident."""
    [event] = make_events(1)
    row = [*msgspec.structs.astuple(event), "more"]
    newer = struct.pack("<8sHH", header()[:8], FORMAT_VERSION, SCHEMA_VERSION | 4)
    path.write_bytes(newer + batch(b"", [row]))

    with pytest.raises(NewerSegmentError):
        read_segment(path)


def test_a_newer_segment_is_left_to_a_newer_reader(path, make_events):
    """Both versions in the header count; the message says what to do."""
    data = whole(make_events(1))
    for versions in (
        (FORMAT_VERSION + 1, SCHEMA_VERSION),
        (FORMAT_VERSION, SCHEMA_VERSION + 5),  # no single flipped bit
    ):
        path.write_bytes(data[:8] + struct.pack("<HH", *versions) + data[12:])

        with pytest.raises(NewerSegmentError, match=rf"{path.name}.*Upgrade"):
            read_segment(path)


def test_fields_added_later_read_as_their_defaults(path, make_events):
    """An older writer's shorter arrays are events of today."""
    [event] = make_events(1)
    row = list(msgspec.structs.astuple(event))[:-3]
    path.write_bytes(header() + batch(b"", [row]))

    assert read_segment(path).events == [event]


def test_one_odd_value_costs_no_row(path, make_events):
    """Numbers past 64 bits are missing, half surrogates are marked, names stay."""
    odd, plain = make_events(2)
    odd = msgspec.structs.replace(
        odd, input_tokens=2**70, feature="a\ud800b", outcome="invented_tomorrow"
    )
    path.write_bytes(whole([odd, plain]))

    read, second = read_segment(path).events

    assert (read.input_tokens, read.feature) == (None, "a?b")
    assert read.outcome == "invented_tomorrow"
    assert second == plain


def test_a_segment_is_alive_until_its_writer_ends(lab, make_events):
    """And only then can it be claimed, by one at a time."""
    writer = JournalWriter(lab)
    writer.append(make_events(1))
    [segment] = lab.segments()

    assert is_alive(segment)
    with claimed(segment) as mine:
        assert not mine

    writer.close()

    assert not is_alive(segment)
    with claimed(segment) as mine, claimed(segment) as too:
        assert mine
        assert not too
    segment.unlink()
    with claimed(segment) as mine:
        assert not mine


def test_a_segment_sealed_while_it_is_opened_is_not_claimed(path, monkeypatch):
    """The lock of a file that another sealer has just removed is worth nothing."""
    path.write_bytes(header())
    lock = fcntl.flock

    def removed_before(fd: int, how: int) -> None:
        path.unlink()
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", removed_before)

    with claimed(path) as mine:
        assert not mine


def test_a_killed_writer_lets_go(lab):
    """The kernel drops the lock of a process that had no time to."""
    code = (
        "import sys, fcntl, signal; file = open(sys.argv[1], 'wb');"
        "fcntl.flock(file, fcntl.LOCK_EX); print('locked', flush=True); signal.pause()"
    )
    path = lab.segment(date(2026, 11, 24), "c" * 32)
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    )
    with child:
        child.stdout.readline()
        alive = is_alive(path)
        os.kill(child.pid, signal.SIGKILL)

    assert alive
    assert not is_alive(path)


def test_a_journal_of_version_1_reads_with_nulls(path, make_events):
    """Its rows are shorter; what they lack nobody said."""
    events = make_events(3)
    names = EventV1.__struct_fields__
    rows = [[getattr(event, name) for name in names] for event in events]
    first = struct.pack("<8sHH", header()[:8], FORMAT_VERSION, 1)
    path.write_bytes(first + batch(b"", rows))

    assert read_segment(path) == (events, segment_date(path), Unread())
    assert events[0].session is None


def test_who_reads_on_sees_each_event_once(path, make_events):
    """However often it looks, and wherever a write was under way just then."""
    batches = [make_events(2), make_events(1), make_events(3)]
    data, seen, at = whole(*batches), [], 0
    for end in range(0, len(data) + 1, 7):
        path.write_bytes(data[:end])
        events, at = read_on(path, at)
        seen += events
    path.write_bytes(data)
    events, at = read_on(path, at)

    assert seen + events == [event for one in batches for event in one]
    assert (at, read_on(path, at)) == (len(data), ([], len(data)))

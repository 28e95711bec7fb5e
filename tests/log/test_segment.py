"""Segments: what is whole is read, what is not is cut, and nothing raises."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.segment import (
    FORMAT_VERSION,
    NewerSegmentError,
    batch,
    claimed,
    header,
    is_alive,
    read_segment,
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
        events, day, torn_bytes = read_segment(path)

        assert events == [e for b in batches[:complete] for e in b]
        assert day == date(2026, 11, 24)
        assert torn_bytes == length - (ends[complete] if length >= ends[0] else 0)


def test_no_flipped_bit_goes_unseen(path, make_events):
    """A flip anywhere after the header ends the reading there."""
    batches = [make_events(1), make_events(1), make_events(1)]
    data = whole(*batches)
    ends = [len(whole(*batches[:n])) for n in range(1, 4)]

    for position in range(HEADER_BYTES, len(data)):
        for bit in (0, 3, 7):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            path.write_bytes(flipped)
            intact = sum(end <= position for end in ends)

            assert read_segment(path).events == [e for b in batches[:intact] for e in b]


@pytest.mark.parametrize("position", range(HEADER_BYTES))
def test_a_broken_header_is_an_error_that_names_the_file(path, make_events, position):
    """Each byte of the header matters; the schema may be an older one."""
    data = bytearray(whole(make_events(1)))
    data[position] ^= 0x80
    path.write_bytes(data)

    with pytest.raises(LogError, match=path.name):
        read_segment(path)


@given(tail=st.binary(min_size=1, max_size=64) | st.integers(1, 64).map(bytes))
def test_whatever_follows_is_cut(tmp_path_factory, tail):
    """Zeros after a power cut, or anything else, are not batches."""
    lab = LabFolder(tmp_path_factory.getbasetemp())
    lab.journal.mkdir(exist_ok=True)
    path = lab.segment(date(2026, 11, 24), "b" * 32)
    path.write_bytes(header() + tail)

    assert read_segment(path) == ([], date(2026, 11, 24), len(tail))


def test_a_newer_segment_is_left_to_a_newer_reader(path, make_events):
    """Both versions in the header count; the message says what to do."""
    data = whole(make_events(1))
    for versions in (
        (FORMAT_VERSION + 1, SCHEMA_VERSION),
        (FORMAT_VERSION, SCHEMA_VERSION + 1),
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

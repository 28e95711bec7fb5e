"""The journal's writer: all of a batch or nothing, through every accident."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.seal import seal
from lectr_lab.log.segment import read_segment

SIMPLE = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=16),
    NoneType: st.none(),
    # fold is no part of an instant in UTC, and is not kept.
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(fold=0)),
}


def values(hint):
    """Whatever a field of this type may hold."""
    if get_origin(hint) in (Union, UnionType):
        return st.one_of([values(member) for member in get_args(hint)])
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    return SIMPLE[hint]


any_event = st.builds(
    Event, **{name: values(hint) for name, hint in get_type_hints(Event).items()}
)


def journalled(lab: LabFolder) -> list[Event]:
    return [e for path in lab.segments() for e in read_segment(path).events]


def ids(events: list[Event]) -> list[bytes]:
    return [event.event_id for event in events]


@settings(max_examples=60)
@given(batches=st.lists(st.lists(any_event, max_size=3), max_size=3))
def test_what_is_written_is_read(tmp_path_factory, batches):
    """Any events, of any dates, come back as they were, each under its date."""
    lab = LabFolder.create(tmp_path_factory.mktemp("lab"))
    writer = JournalWriter(lab)

    for events in batches:
        writer.append(events)
    writer.close()

    expected = [event for events in batches for event in events]
    assert Counter(map(repr, journalled(lab))) == Counter(map(repr, expected))
    for path in lab.segments():
        events, day, unread = read_segment(path)
        assert {e.started_at.date() for e in events} == {day}
        assert unread == Unread()


def test_a_writer_alone_touches_nothing(lab):
    """Segments begin with the first event; nothing to write is nothing written."""
    writer = JournalWriter(lab)
    writer.append([])
    writer.rotate()

    assert lab.segments() == []
    assert not writer.due()


def test_segments_are_private_and_never_share_a_name(lab, make_events):
    """0600, and a new name after each rotation."""
    writer = JournalWriter(lab)
    for _ in range(50):
        writer.append(make_events(1))
        writer.rotate()

    assert len(lab.segments()) == 50
    assert {path.stat().st_mode & 0o777 for path in lab.segments()} == {0o600}


def test_a_segment_is_due_by_size_or_age(lab, make_events):
    """Its age counts from its first event."""
    now = [100.0]
    by_age = JournalWriter(lab, max_age_s=60, clock=lambda: now[0])
    by_size = JournalWriter(lab, max_bytes=1000, clock=lambda: now[0])
    now[0] = 200.0
    by_age.append(make_events(1))
    by_size.append(make_events(1))
    states = [(by_age.due(), by_size.due())]
    now[0] = 260.0
    by_size.append(make_events(20))
    states.append((by_age.due(), by_size.due()))
    by_age.rotate()
    by_size.rotate()
    states.append((by_age.due(), by_size.due()))

    assert states == [(False, False), (True, True), (False, False)]


def test_the_disk_is_told_every_five_seconds(lab, make_events, monkeypatch):
    """And when a segment is finished; not when there is nothing new."""
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(now[0]) or real(fd))
    now = [0.0]
    writer = JournalWriter(lab, clock=lambda: now[0])
    for now[0] in (0.0, 1.0, 4.0, 5.5, 6.0, 11.0, 20.0):
        if now[0] < 10:
            writer.append(make_events(1))
        writer.sync()
    writer.append(make_events(1))
    writer.close()

    assert synced == [5.5, 11.0, 20.0]


def test_a_disk_that_fails_to_sync_is_said_until_it_does_not(
    lab, make_events, monkeypatch
):
    """Writing goes on in another segment meanwhile, and no event is there twice."""
    first, second, third = make_events(3)
    now = [0.0]
    writer = JournalWriter(lab, clock=lambda: now[0])
    writer.append([first])
    now[0] = 6.0
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", _broken_disk)
        writer.append([second])
        failed = [writer.sync_failed]
        now[0] = 12.0
        with pytest.raises(OSError, match="Input/output"):
            writer.sync()
        now[0] = 18.0
        writer.sync()  # there is nothing to be synced
        failed.append(writer.sync_failed)
    writer.append([third])
    now[0] = 24.0
    writer.sync()
    failed.append(writer.sync_failed)
    writer.close()

    assert failed == [True, True, False]
    assert len(lab.segments()) == 3
    assert sorted(ids(journalled(lab))) == ids([first, second, third])


def _broken_disk(fd: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_full_disk_takes_whole_batches_only(small_disk, make_events):
    """What `append` refused is not there; with room again, the same writer goes on."""
    ballast = small_disk / "ballast"
    lab = LabFolder.create(small_disk / "lab")
    ballast.write_bytes(bytes(100_000))
    writer = JournalWriter(lab)
    taken, refused = [], []
    for _ in range(40):
        # Two dates: the second write fails after the first went well.
        batch = make_events(1) + make_events(60, day=1)
        try:
            writer.append(batch)
            taken += batch
        except OSError as error:
            assert error.errno == errno.ENOSPC
            refused.append(batch)
    full = journalled(lab)
    ballast.unlink()
    writer.append(refused[0])
    writer.close()

    assert taken
    assert sorted(ids(full)) == sorted(ids(taken))
    assert sorted(ids(journalled(lab))) == sorted(ids(taken + refused[0]))
    assert {read_segment(path).unread for path in lab.segments()} == {Unread()}


def test_a_disk_full_from_the_start_keeps_no_empty_segment(small_disk, make_events):
    """Not even the header of a segment stays behind."""
    lab = LabFolder.create(small_disk / "lab")
    with pytest.raises(OSError), (small_disk / "ballast").open("wb") as file:
        while True:
            file.write(bytes(4096))
            file.flush()

    with pytest.raises(OSError):
        JournalWriter(lab).append(make_events(1))

    assert list(lab.journal.iterdir()) == []


def test_a_read_only_folder_is_an_error_until_it_is_not(
    small_disk, set_read_only, make_events
):
    """The writer needs no restart."""
    lab = LabFolder.create(small_disk / "lab")
    events = make_events(1)
    writer = JournalWriter(lab)
    set_read_only(True)
    with pytest.raises(OSError):
        writer.append(events)
    set_read_only(False)
    writer.append(events)
    writer.close()

    assert journalled(lab) == events


def test_a_removed_folder_comes_back(lab, make_events):
    """What is appended afterwards is in it."""
    writer = JournalWriter(lab)
    writer.append(make_events(1))
    shutil.rmtree(lab.root)
    after = make_events(2)
    writer.append(after[:1])
    shutil.rmtree(lab.journal)
    lab.journal.write_text("in the way")
    with pytest.raises(OSError):
        writer.append(after[1:])
    lab.journal.unlink()
    writer.append(after[1:])
    writer.close()

    assert journalled(lab) == after[1:]


def test_a_moved_folder_keeps_what_it_had(lab, make_events, tmp_path):
    """Later events are where the lab is expected, and nowhere twice."""
    before, after = make_events(2), make_events(3)
    writer = JournalWriter(lab)
    writer.append(before)
    moved = LabFolder(lab.root.rename(tmp_path / "moved"))
    writer.append(after)
    writer.close()

    assert journalled(moved) == before
    assert journalled(lab) == after


WRITER = """
import sys, secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter

writer = JournalWriter(LabFolder(Path(sys.argv[1])), max_bytes=200_000)
at = datetime(2026, 11, 24, 23, 59, tzinfo=UTC)
for number in range(int(sys.argv[2])):
    events = [
        Event(event_id=secrets.token_bytes(16), started_at=at + timedelta(seconds=i),
              org="o", path="/v1", operation="chat", outcome="ok", total_ms=1.0,
              input_tokens=number)
        for i in range(50, 70)
    ]
    writer.append(events)
    print(*(e.event_id.hex() for e in events), flush=True)
    if writer.due():
        writer.rotate()
"""


def start_writer(lab: LabFolder, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(lab.root), str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_kill_9_takes_nothing_that_was_acknowledged(lab):
    """Ten writers killed at any moment: each id once, and at most one batch unasked."""
    acknowledged: list[str] = []
    for kill in range(10):
        with start_writer(lab, 10**9) as child:
            lines = [child.stdout.readline()]
            time.sleep(0.005 * kill)
            os.kill(child.pid, signal.SIGKILL)
            lines += child.stdout.readlines()
        # The last line may be cut; whole ids in it were acknowledged all the same.
        acknowledged += [i for i in " ".join(lines).split() if len(i) == 32]

    kept = [i.hex() for i in ids(journalled(lab))]

    assert len(acknowledged) > 200
    assert len(kept) == len(set(kept))
    assert set(acknowledged) <= set(kept)
    assert len(kept) - len(acknowledged) <= 10 * 20


def test_four_processes_write_to_one_folder(lab):
    """Without a lock between them: every event of each is there once."""
    children = [start_writer(lab, 40) for _ in range(4)]
    written = [i for child in children for i in child.communicate()[0].split()]

    kept = [i.hex() for i in ids(journalled(lab))]

    assert [child.returncode for child in children] == [0] * 4
    assert len(kept) == 4 * 40 * 20
    assert sorted(kept) == sorted(written)


def test_the_journal_loads_no_frames():
    """Writing needs neither polars nor anything else that is heavy."""
    code = "import sys, lectr_lab.log.journal; print('polars' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"False\n"


def test_a_clock_that_jumps_back_loses_nothing(lab, make_events, monkeypatch):
    """Names and times go back a day; segments stay apart, each row is there once."""
    now_ns = iter(range(10**19, 0, -86_400 * 10**9))
    monkeypatch.setattr("time.time_ns", lambda: next(now_ns))
    writer = JournalWriter(lab)
    for day in (2, 1, 0, 1, 2):
        writer.append(make_events(3, day=day))
        writer.rotate()
    writer.close()
    open_segments = len(lab.segments())

    assert seal(lab).problems == ()
    rows = pl.read_parquet(lab.log)
    assert open_segments == 5
    assert sorted(rows["input_tokens"]) == list(range(15))

"""The doctor: each ailment is found, named, and mended without losing a row."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.key_file import create_key
from lectr_lab.log.losses import write_losses
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.seal import seal
from lectr_lab.log.shipped import note_destination
from lectr_lab.log.upkeep.doctor import MENDED, examine, mend


def add_part(lab: LabFolder, events: list[Event]) -> Path:
    before = set(lab.log.rglob("*.parquet"))
    writer = JournalWriter(lab)
    writer.append(events)
    writer.close()
    seal(lab)
    return (set(lab.log.rglob("*.parquet")) - before).pop()


@pytest.fixture
def healthy(lab, make_events) -> LabFolder:
    """A lab with keys and three parts of four rows."""
    for _ in range(3):
        add_part(lab, make_events(4))
    create_key(lab, "acme")
    return lab


def parts(lab: LabFolder) -> list[Path]:
    return sorted(lab.log.rglob("*.parquet"))


def flip_a_bit(lab: LabFolder) -> Path:
    """In a data page, where readers do not notice."""
    part = parts(lab)[0]
    data = bytearray(part.read_bytes())
    data[200] ^= 1
    part.write_bytes(data)
    return part


def cut_a_part(lab: LabFolder) -> Path:
    part = parts(lab)[0]
    part.write_bytes(part.read_bytes()[:-100])
    return part


def cut_a_part_of_unknown_sum(lab: LabFolder) -> Path:
    for file in lab.state.glob("*.crc32"):
        file.unlink()
    part = parts(lab)[0]
    data = part.read_bytes()
    part.write_bytes(data[:4] + bytes(2000) + data[2004:])
    return part


def put_notes_into_a_day(lab: LabFolder) -> Path:
    path = parts(lab)[0].parent / "notes.txt"
    path.write_text("hello")
    path.chmod(0o600)
    return path


def put_a_file_into_the_log(lab: LabFolder) -> Path:
    path = lab.log / ".DS_Store"
    path.write_bytes(b"\0")
    path.chmod(0o600)
    return path


def copy_a_part(lab: LabFolder) -> Path:
    first = parts(lab)[0]
    path = first.with_name(f"{'f' * 32}.parquet")
    path.write_bytes(first.read_bytes())
    path.chmod(0o600)
    return path


def open_a_part_to_others(lab: LabFolder) -> Path:
    part = parts(lab)[0]
    part.chmod(0o644)
    return part


def open_a_folder_to_others(lab: LabFolder) -> Path:
    lab.state.chmod(0o755)
    return lab.state


def age(path: Path) -> Path:
    os.utime(path, (time.time() - 7200,) * 2)
    return path


def leave_a_half_written_part(lab: LabFolder) -> Path:
    path = lab.journal / "x.tmp"
    path.touch(0o600)
    return age(path)


def leave_a_compaction(lab: LabFolder) -> Path:
    path = lab.journal / "2026-11-24.x.compact"
    path.mkdir(0o700)
    return age(path)


def leave_a_dead_segment(lab: LabFolder) -> Path:
    """Of a row that is in no part."""
    rows = scan(lab.root).collect().rows(named=True)
    event = Event(**(rows[0] | {"event_id": b"n" * 16, "input_tokens": 99}))
    writer = JournalWriter(lab)
    writer.append([event])
    writer.close()
    return lab.segments()[0]


def put_a_link_in_the_place_of_a_day(lab: LabFolder) -> Path:
    path = lab.log / "date=2026-11-30"
    path.symlink_to(parts(lab)[0].parent)
    return path


def put_a_pipe_into_a_day(lab: LabFolder) -> Path:
    path = parts(lab)[0].parent / "pipe.parquet"
    os.mkfifo(path, 0o600)
    return path


def put_a_pipe_into_the_journal(lab: LabFolder) -> Path:
    path = lab.journal / f"2026-11-24.{'0' * 32}.journal"
    os.mkfifo(path, 0o600)
    return path


AILMENTS: list[tuple[Callable[[LabFolder], Path], str]] = [
    (flip_a_bit, "not those that were written"),
    (cut_a_part, "cannot be read"),
    (cut_a_part_of_unknown_sum, "cannot be read"),
    (put_notes_into_a_day, "no part of the log"),
    (put_a_file_into_the_log, "no part of the log"),
    (copy_a_part, "4 of its rows are in the log twice"),
    (open_a_part_to_others, "may open it (644)"),
    (open_a_folder_to_others, "may open it (755)"),
    (leave_a_half_written_part, "nothing of it is missing"),
    (leave_a_compaction, "the day itself is whole"),
    (leave_a_dead_segment, "1 events wait"),
    (put_a_link_in_the_place_of_a_day, "twice"),
    (put_a_pipe_into_a_day, "no part of the log"),
    (put_a_pipe_into_the_journal, "It is a pipe, not a file"),
]


@pytest.mark.parametrize(
    ("harm", "said"), AILMENTS, ids=[harm.__name__ for harm, _ in AILMENTS]
)
def test_an_ailment_is_found_and_mended(healthy, harm, said):
    """Named with its file; afterwards all is well but for what was set aside."""
    first = parts(healthy)[0]
    lost = set(pl.read_parquet(first)["input_tokens"])
    path = harm(healthy)

    found = examine(healthy)
    done = mend(healthy, found)

    assert [f.path for f in found] == [path]
    assert said in found[0].what
    assert done == found
    assert {f.kind for f in examine(healthy)} <= {"set aside", "losses"}
    expected = set(range(12)) | ({99} if harm is leave_a_dead_segment else set())
    if found[0].kind != "bad part":
        seen = scan(healthy.root).collect()["input_tokens"].to_list()
        assert sorted(seen) == sorted(expected)
        return
    with pytest.warns(LogWarning, match="1 file"):
        seen = scan(healthy.root).collect()["input_tokens"].to_list()
    assert sorted(seen) == sorted(expected - lost)


def test_nothing_is_found_in_a_healthy_lab_in_use(healthy, make_events):
    """A live writer's segment is no ailment, nor is a user's own file beside ours."""
    (healthy.root / "prices.toml").touch(0o644)
    writer = JournalWriter(healthy)
    writer.append(make_events(1))

    found = examine(healthy)
    writer.close()

    assert found == []


def test_what_is_wrong_in_two_ways_is_mended_in_both(healthy):
    """A stranger that others may open, too, is closed and moved aside."""
    notes = put_notes_into_a_day(healthy)
    leftover = leave_a_half_written_part(healthy)
    notes.chmod(0o644)
    leftover.chmod(0o644)

    found = examine(healthy)
    done = mend(healthy, found)

    assert len(found) == len(done) == 4
    assert [left.kind for left in examine(healthy)] == ["set aside"]


def test_what_is_moved_aside_is_kept(healthy):
    """Byte for byte."""
    bad = flip_a_bit(healthy)
    data = bad.read_bytes()

    mend(healthy, examine(healthy))
    [aside] = healthy.journal.glob("*.bad")

    assert aside.read_bytes() == data
    assert [f.path for f in examine(healthy)] == [aside, healthy.state]


def test_what_only_a_person_can_mend_is_said(healthy, monkeypatch):
    """A broken key file, lost events, a full disk."""
    (healthy.state / "keys.json").write_text("{")
    write_losses(healthy, "a1", 3)
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)

    found = examine(healthy)

    assert [f.kind for f in found] == ["disk", "keys", "losses"]
    assert not {f.kind for f in found} & MENDED.keys()
    assert mend(healthy, found) == []


def test_rows_twice_in_one_part_are_found(healthy, make_events):
    """The second of them goes."""
    events = make_events(3)
    add_part(healthy, [*events, events[0]])

    found = examine(healthy)
    mend(healthy, found)

    assert [f.kind for f in found] == ["twice"]
    assert scan(healthy.root).collect().height == 15
    assert examine(healthy) == []


def test_a_missing_folder_is_an_error(tmp_path):
    """The doctor makes no lab."""
    with pytest.raises(LogError, match="There is no folder"):
        examine(LabFolder(tmp_path / "no"))


def test_what_waits_for_long_to_be_shipped_is_said(healthy):
    """Not what was sealed today, nor in a lab that is not shipped."""
    day_ago_s = time.time() - 90_000
    for part in parts(healthy):
        os.utime(part, (day_ago_s, day_ago_s))
    assert examine(healthy) == []
    note_destination(healthy, "s3://bucket/prefix")

    [finding] = examine(healthy)
    assert finding.kind == "shipping" and "s3://bucket/prefix" in finding.what
    for part in parts(healthy)[1:]:
        part.touch()
    [finding] = examine(healthy)
    assert finding.what.startswith("1 file")
    for part in parts(healthy):
        part.touch()
    assert examine(healthy) == []

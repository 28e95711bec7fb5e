"""The count of what is missing from the log."""

from datetime import date
from pathlib import Path

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.losses import (
    Losses,
    forget_day,
    losses,
    note_unread,
    noted_losses,
    unnoted,
    unread_of,
    write_losses,
)
from lectr_lab.log.segment import batch, header

DAY = date(2026, 11, 24)


def test_a_writers_count_replaces_its_last_one(tmp_path):
    """It is a running total, not an increment."""
    lab = LabFolder.create(tmp_path)
    for dropped in (1, 5):
        assert write_losses(lab, "w1", dropped)

    assert noted_losses(lab).dropped == 5


def test_a_folder_that_is_gone_is_not_an_error(tmp_path):
    """The writer is told, and tries again."""
    lab = LabFolder(tmp_path / "gone")

    assert not write_losses(lab, "w1", 1)
    assert noted_losses(lab).dropped == 0


def test_a_damaged_count_is_left_out(tmp_path):
    """One bad file does not hide the others."""
    lab = LabFolder.create(tmp_path)
    (lab.state / "dropped.w1").write_bytes(b"\xff")
    write_losses(lab, "w2", 2)

    assert noted_losses(lab).dropped == 2


def test_a_damaged_note_is_left_out(tmp_path):
    """One bad file does not hide the others."""
    lab = LabFolder.create(tmp_path)
    for name, said in (("a", b"\xff"), ("b", b"1 2"), ("c", b"1 2 3 4"), ("d", b"")):
        (lab.state / f"unread.{DAY}.{name * 32}").write_bytes(said)
    note_unread(lab, lab.segment(DAY, "e" * 32), Unread(1, 90, 2))

    assert noted_losses(lab).unread == unread_of(lab) == Unread(1, 90, 2)


def test_each_segment_counts_once(tmp_path, make_events):
    """As it lies in the journal, is set aside, and is noted; its note is what counts."""
    lab = LabFolder.create(tmp_path)
    segment = lab.segment(DAY, "a" * 32)
    segment.write_bytes(header() + batch(b"", make_events(3))[:-1])
    other = lab.segment(DAY, "b" * 32)
    other.write_bytes(segment.read_bytes())
    waiting = losses(lab)

    aside = segment.rename(segment.with_suffix(".bad"))
    assert unnoted(lab) == [aside]
    assert losses(lab) == waiting
    assert unread_of(lab, DAY).batches == 1
    assert unread_of(lab, date(2026, 11, 25)) == Unread()
    note_unread(lab, aside, unread_of(lab))

    assert unnoted(lab) == []
    assert losses(lab) == waiting
    assert waiting.unread == Unread(2, 2 * (segment_bytes(aside) - len(header())), 6)


def segment_bytes(path: Path) -> int:
    return path.stat().st_size


def test_a_day_that_is_deleted_lacks_nothing(tmp_path):
    """Notes of other days stay."""
    lab = LabFolder.create(tmp_path)
    for day in (DAY, date(2026, 11, 25)):
        segment = lab.segment(day, "a" * 32)
        segment.with_suffix(".bad").touch()
        note_unread(lab, segment, Unread(1, 90, 2))

    forget_day(lab, DAY)

    assert noted_losses(lab) == Losses(0, Unread(1, 90, 2))
    assert [p.name[:10] for p in lab.set_aside()] == ["2026-11-25"]

"""The lab folder: made private, refused clearly, nothing mistaken for a segment."""

import stat
from datetime import date

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder

NAME = "0" * 32


def test_a_new_lab_is_for_its_owner_alone(tmp_path):
    """Every folder is 0700, and a second call finds them."""
    lab = LabFolder.create(tmp_path / "some" / "lab")

    assert LabFolder.create(lab.root) == lab
    for folder in (lab.root, lab.log, lab.journal, lab.state):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_refused(tmp_path):
    """A lab cannot be where a file is, below one, or with a file inside it."""
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "journal").touch()

    for root in (file, file / "lab", tmp_path / "lab"):
        with pytest.raises(LogError, match="file"):
            LabFolder.create(root)
    with pytest.raises(LogError, match="file"):
        LabFolder.existing(file)


def test_a_missing_folder_says_what_to_do(tmp_path):
    """Readers do not make folders."""
    with pytest.raises(LogError, match="lectr-lab init"):
        LabFolder.existing(tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()


def test_a_read_only_place_is_refused(small_disk, set_read_only):
    """Whether the lab is there already or not."""
    LabFolder.create(small_disk / "old")
    set_read_only(True)

    for name in ("old", "new"):
        with pytest.raises(LogError, match="cannot be written"):
            LabFolder.create(small_disk / name)


def test_a_segment_and_its_part_share_date_and_name(lab):
    """So that an event in both counts once."""
    segment = lab.segment(date(2026, 11, 24), NAME)

    assert lab.part(segment) == lab.log / "date=2026-11-24" / f"{NAME}.parquet"


def test_foreign_files_are_not_segments(lab):
    """The journal's folder may hold notes, copies and wrong dates."""
    segment = lab.segment(date(2026, 11, 24), NAME)
    for name in ("notes.txt", f"2026-13-45.{NAME}.journal", f"{segment.name}.bak"):
        (lab.journal / name).touch()
    segment.touch()

    assert lab.segments() == [segment]

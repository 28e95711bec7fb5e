"""The lab folder: made private, refused clearly, nothing mistaken for a segment."""

import os
import stat
from datetime import date
from pathlib import Path

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


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda state: state.chmod(0o777), "may write in"),
        (lambda state: state.chmod(0o770), "may write in"),
        (lambda state: os.chown(state, 65534, 65534), "belongs to another user"),
        (lambda state: _become_a_link(state), "is a link"),
    ],
)
def test_state_that_others_may_change_is_said(lab, spoil, said):
    """Who puts files there can make keys; one's own is nobody's business."""
    if "another user" in said and os.geteuid():
        pytest.skip("giving a folder away needs root")
    assert lab.exposed() is None
    spoil(lab.state)

    assert said in (lab.exposed() or "")


def _become_a_link(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))
    state.symlink_to(state.with_name("elsewhere"))

"""The count of what is missing from the log."""

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import dropped_events, write_losses


def test_a_writers_count_replaces_its_last_one(tmp_path):
    """It is a running total, not an increment."""
    lab = LabFolder.create(tmp_path)
    for dropped in (1, 5):
        assert write_losses(lab, "w1", dropped)

    assert dropped_events(lab) == 5


def test_a_folder_that_is_gone_is_not_an_error(tmp_path):
    """The writer is told, and tries again."""
    lab = LabFolder(tmp_path / "gone")

    assert not write_losses(lab, "w1", 1)
    assert dropped_events(lab) == 0


def test_a_damaged_count_is_left_out(tmp_path):
    """One bad file does not hide the others."""
    lab = LabFolder.create(tmp_path)
    (lab.state / "dropped.w1").write_bytes(b"\xff")
    write_losses(lab, "w2", 2)

    assert dropped_events(lab) == 2

"""`lectr-lab doctor`: what it found, and what it did about it."""

from pathlib import Path

import pytest

from lectr_lab.cli.doctor import doctor
from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    """An empty one."""
    return LabFolder.create(tmp_path / "lab")


def test_a_healthy_lab_is_well(lab, capsys):
    """One line."""
    doctor(lab.root)

    assert capsys.readouterr().out == f"{lab.root} is well.\n"


def test_what_is_wrong_is_named_and_mended_if_asked(lab, capsys):
    """Looking changes nothing."""
    stranger = lab.log / "notes.txt"
    stranger.touch(0o600)

    doctor(lab.root)
    looked = capsys.readouterr().out
    assert stranger.exists()
    doctor(lab.root, mend=True)

    assert str(stranger) in looked
    assert "--mend` does what loses nothing" in looked
    assert "Mended 1 of 1." in capsys.readouterr().out
    assert not stranger.exists()


def test_a_missing_folder_is_an_error(tmp_path):
    """It makes no lab."""
    with pytest.raises(LogError, match="There is no folder"):
        doctor(tmp_path / "no")

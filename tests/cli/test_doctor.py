"""`lectr-lab doctor`: what it found, and what it did about it."""

import shutil
from pathlib import Path

import pytest

from lectr_lab.cli.doctor import doctor
from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import LabFolder
from lectr_lab.resources import shipped_cassettes


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


@pytest.fixture
def cassettes(tmp_path, monkeypatch) -> Path:
    """A folder with an old cassette."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cassettes"
    shutil.copytree(shipped_cassettes() / "llama", folder)
    path = folder / "errors.yaml"
    path.chmod(0o600)
    text = path.read_text("utf-8").replace("accept:", "x-acme: [hush]\n      accept:")
    path.write_text(text, "utf-8")
    return folder


def test_cassettes_are_looked_at_and_mended_if_asked(cassettes, capsys):
    """Counts by kind, and what to do; the lab is not looked for."""
    doctor(cassettes=cassettes)
    looked = capsys.readouterr().out
    assert "hush" in (cassettes / "errors.yaml").read_text("utf-8")
    doctor(cassettes=cassettes, mend=True)
    mended = capsys.readouterr().out
    doctor(cassettes=cassettes)

    assert str(cassettes / "errors.yaml") in looked
    assert "values of headers that are not known to be harmless" in looked
    assert "Add --mend to take these values out" in looked
    assert "Mended 1 of 1." in mended
    assert "hush" not in (cassettes / "errors.yaml").read_text("utf-8")
    assert capsys.readouterr().out == f"{cassettes} is well: 3 cassettes.\n"


def test_a_users_own_list_counts_in_cassettes_too(cassettes, capsys):
    """That of lectr.toml, and that of the command."""
    doctor(cassettes=cassettes, mend=True)
    Path("lectr.toml").write_text("[record]\nsecrets = ['llama']\n")
    capsys.readouterr()
    doctor(cassettes=cassettes)
    own = capsys.readouterr().out
    Path("lectr.toml").unlink()
    doctor(cassettes=cassettes, scrub=("llama",))

    assert "values of your own patterns" in own
    assert capsys.readouterr().out == own


def test_a_cassette_that_cannot_be_read_is_said(cassettes, capsys):
    """With the reason."""
    (cassettes / "broken.yaml").write_text("a: [")

    doctor(cassettes=cassettes / "broken.yaml", mend=True)

    out = capsys.readouterr().out
    assert "this is not YAML" in out
    assert "Record it again." in out
    assert "Mended 0 of 1." in out

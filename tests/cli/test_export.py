"""`lectr-lab export`: where the spans went."""

from pathlib import Path

import pytest

from lectr_lab.cli.export import export
from lectr_lab.core.errors import LabError
from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import frame


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Some of the made-up traffic."""
    lab = LabFolder.create(tmp_path / "lab")
    frame(events(requests=60)).write_parquet(lab.log / "one.parquet")
    return lab.root


def test_it_says_how_much_it_wrote_and_by_which_conventions(lab, tmp_path, capsys):
    """And small files where they are asked for."""
    export(lab, out=tmp_path / "spans", max_file_mb=0.001)

    said = capsys.readouterr().out
    assert said.startswith(f"Wrote {scan(lab).collect().height} spans to ")
    assert f"{len(list((tmp_path / 'spans').iterdir()))} files" in said
    assert "semantic conventions 1." in said


def test_nothing_to_write_is_said(lab, tmp_path, capsys):
    """Not "0 files"; and an error, where something was asked for."""
    with pytest.raises(LabError, match="nothing written"):
        export(lab, out=tmp_path / "spans", feature=["nobody's"])
    export(LabFolder.create(tmp_path / "new").root, out=tmp_path / "spans")

    assert "nothing written" in capsys.readouterr().out


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
def test_a_size_that_is_none_is_said(lab, tmp_path, size):
    """Before anything is written."""
    with pytest.raises(LabError, match="--max-file-mb"):
        export(lab, out=tmp_path / "spans", max_file_mb=size)

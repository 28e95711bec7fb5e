"""`lectr-lab import`: what came along, and what did not."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from lectr_lab.cli.app import app
from lectr_lab.cli.import_log import import_log
from lectr_lab.core.errors import LogError
from lectr_lab.log.importers.readers import READERS
from lectr_lab.log.scan import scan

HERE = {"exit_on_error": False, "result_action": "return_value"}
COLUMNS = ["started_at=t", "input_tokens=n", "total_ms=s*1000", "outcome==ok"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two calls and one without a time."""
    path = tmp_path / "calls.csv"
    path.write_text("t,n,s\n1,10,0.5\n2,20,0.25\n,30,1\n")
    return path


def test_it_says_what_was_added(table, tmp_path, capsys):
    """And what was not, and why."""
    lab = tmp_path / "lab"
    import_log(table, kind="table", lab=lab, columns=COLUMNS)
    first = capsys.readouterr().out
    import_log(table, kind="table", lab=lab, columns=COLUMNS)

    head = f"Added 2 of 3 calls to {lab} as default.\n"
    assert first == f"{head}Left out (1): rows without a time that can be read.\n"
    assert "2 were there already." in capsys.readouterr().out
    assert scan(lab).collect()["total_ms"].sort().to_list() == [250.0, 500.0]


def test_a_preview_says_what_was_understood(table, tmp_path, capsys):
    """And writes nothing."""
    lab = tmp_path / "lab"
    import_log(table, kind="table", lab=lab, columns=COLUMNS, preview=True)

    said = capsys.readouterr().out
    assert "2 would be added. Nothing is written." in said
    assert "input_tokens" in said
    assert "Left out (1): rows without a time" in said
    assert not lab.exists()


def test_times_may_count_from_an_epoch(table, tmp_path):
    """UTC where it does not say."""
    epoch = datetime(2026, 11, 24)
    import_log(table, kind="table", lab=tmp_path / "lab", columns=COLUMNS, epoch=epoch)

    times = scan(tmp_path / "lab").select(pl.col("started_at").min()).collect().item()
    assert f"{times:%Y-%m-%d %H:%M:%S%z}" == "2026-11-24 00:00:01+0000"


def test_a_pair_is_two_names(table, tmp_path):
    """The message shows the form."""
    with pytest.raises(LogError, match="our_column=their_column"):
        import_log(table, kind="table", lab=tmp_path / "lab", columns=["t"])


def test_a_column_is_named_once(table, tmp_path):
    """The second would win in silence."""
    twice = ["started_at=t", "started_at=n"]
    with pytest.raises(LogError, match="started_at=… is there 2 times"):
        import_log(table, kind="table", lab=tmp_path / "lab", columns=twice)


def test_two_conventions_at_once_are_an_error(table, tmp_path):
    """Cached input is in the input, or beside it."""
    both = {"cached_apart": True, "cached_included": True}
    with pytest.raises(LogError, match="contradict each other"):
        import_log(table, kind="table", lab=tmp_path / "lab", **both)


def test_help_says_what_can_be_imported_and_what_input_is():
    """Every kind that has a reader, and what it is."""
    command = [sys.executable, "-m", "lectr_lab.cli", "import", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    words = " ".join(shown.replace("│", " ").split())

    for kind, reader in READERS.items():
        assert f"{kind}: {reader.what}" in words
    assert f"[choices: {', '.join(READERS)}]" in words
    assert "input_tokens is all input, cached included" in words


@pytest.mark.parametrize(
    "columns",
    [
        "--columns started_at=t input_tokens=n",
        "--column started_at=t --column input_tokens=n",
    ],
)
def test_columns_follow_one_option_or_several(tmp_path, monkeypatch, columns):
    """As its help shows it; the log is the one that lectr.toml names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LECTR_LAB", raising=False)
    (tmp_path / "lectr.toml").write_text('lab = "elsewhere"')
    (tmp_path / "calls.csv").write_text("t,n\n1,10\n")

    app(f"import calls.csv --kind table {columns}", **HERE)

    assert scan(tmp_path / "elsewhere").collect()["input_tokens"].to_list() == [10]


def test_rows_may_be_told_their_id_feature_source_and_plan(tmp_path, monkeypatch):
    """Each by an option."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls.csv").write_text("t,n,key\n1,10,k1\n")
    said = "--id key --feature chat --source-name ours --plan --lab lab"

    app(
        f"import calls.csv --kind table --column started_at=t input_tokens=n {said}",
        **HERE,
    )

    row = scan(tmp_path / "lab").collect().row(0, named=True)
    names = ("source_id", "feature", "source", "credential")
    assert [row[name] for name in names] == ["k1", "chat", "ours", "plan"]

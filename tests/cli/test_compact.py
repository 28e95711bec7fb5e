"""`lectr-lab compact`: what it prints is what it did."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from lectr_lab.cli.compact import compact
from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.upkeep.doctor import examine

NOW = datetime.now(UTC)


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    """Three segments on each of two closed days."""
    lab = LabFolder.create(tmp_path / "lab")
    for number in range(3):
        writer = JournalWriter(lab)
        writer.append([event(number, days_ago) for days_ago in (2, 9)])
        writer.close()
    return lab


def event(number: int, days_ago: int) -> Event:
    return Event(
        event_id=bytes([number, days_ago]) * 8,
        started_at=NOW - timedelta(days=days_ago),
        org="acme",
        path="/",
        operation="chat",
        outcome="ok",
        total_ms=1.0,
    )


def test_it_says_what_it_merged(lab, capsys):
    """Then that there is nothing left to do."""
    compact(lab.root)
    first = capsys.readouterr().out
    compact(lab.root)

    assert first.startswith("Merged 6 files of 2 days into 2: 6 rows, ")
    assert capsys.readouterr().out.startswith("Nothing to merge")


def test_old_days_go_only_if_asked(lab, capsys):
    """And it names them."""
    compact(lab.root)
    before = lab.days()
    compact(lab.root, keep_days=5)

    assert len(before) == 2
    assert lab.days() == [(NOW - timedelta(days=2)).date()]
    assert (
        f"Deleted 1 day, {(NOW - timedelta(days=9)).date()}: "
        in capsys.readouterr().out
    )


def test_a_size_is_in_megabytes(lab):
    """Nothing closed fits into 0."""
    compact(lab.root, keep_mb=1)
    kept = len(lab.days())
    compact(lab.root, keep_mb=0)

    assert (kept, lab.days()) == (2, [])


def test_a_bad_part_is_named(lab, capsys):
    """With where to turn."""
    compact(lab.root)
    part = next(lab.log.rglob("*.parquet"))
    part.write_bytes(b"no")
    compact(lab.root)

    said = capsys.readouterr().out
    assert str(part) in said
    assert "lectr-lab doctor" in said


def test_another_folder_is_left_alone(tmp_path):
    """Nothing is made in a folder that is no lab."""
    with pytest.raises(LogError, match="is no lab"):
        compact(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path):
    """It makes no lab."""
    with pytest.raises(LogError, match="There is no folder"):
        compact(tmp_path / "no")


@pytest.mark.parametrize(
    ("settings", "flag", "kept"),
    [("", False, 0), ("", True, 2), ("keep_request_ids = true", False, 2)],
)
def test_the_providers_ids_stay_if_somebody_said_so(
    tmp_path, capsys, settings, flag, kept
):
    """By the flag, or for good in the lectr.toml beside the lab."""
    (tmp_path / "lectr.toml").write_text(settings)
    lab = LabFolder.create(tmp_path / "lab")
    writer = JournalWriter(lab)
    events = [event(number, days_ago=2) for number in range(2)]
    writer.append([replace(e, provider_request_id="req_1") for e in events])
    writer.close()

    compact(lab.root, keep_request_ids=flag)

    assert capsys.readouterr().out.startswith("Merged 1 file of 1 day into 1: 2 rows")
    assert scan(lab.root).collect()["provider_request_id"].count() == kept


@pytest.mark.usefixtures("usual_signals")
def test_ctrl_c_leaves_every_day_whole(tmp_path):
    """In the middle of merging: nothing lost, nothing twice, nothing left behind."""
    rows, days = 60_000, 4
    lab = LabFolder.create(tmp_path / "lab")
    for days_ago in range(2, 2 + days):
        _fill(lab, days_ago, rows)
    command = [sys.executable, "-m", "lectr_lab.cli", "compact", str(lab.root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while len(list(lab.journal.glob("*.compact"))) < 2:  # the second day has begun
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    ids = scan(lab.root).collect()["event_id"]
    parts = [len(list(lab.day(day).glob("*.parquet"))) for day in lab.days()]
    assert (process.returncode, ids.len(), ids.n_unique()) == (130, *[rows * days] * 2)
    assert said == "Stopped. Each day is merged, or as it was.\n"
    assert sorted(parts)[0::3] == [1, 2]
    assert examine(lab) == []

    compact(lab.root)
    assert scan(lab.root).collect().height == rows * days
    assert list(lab.journal.iterdir()) == []


def _fill(lab: LabFolder, days_ago: int, rows: int) -> None:
    """Two parts on a closed day."""
    day = lab.day((NOW - timedelta(days=days_ago)).date())
    day.mkdir(mode=0o700)
    one = frame([event(1, days_ago)])
    half = pl.concat([one] * (rows // 2))
    for number in range(2):
        name = pl.format("{}-{}", days_ago, pl.int_range(number, rows, 2))
        part = half.with_columns(event_id=name.cast(pl.Binary))
        path = day / f"{number:032x}.parquet"
        part.write_parquet(path, metadata=file_metadata())
        path.chmod(0o600)

"""`lectr-lab compact`: what it prints is what it did."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lectr_lab.commands.compact import compact
from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter

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
    assert f"Deleted {(NOW - timedelta(days=9)).date()}" in capsys.readouterr().out


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


def test_a_missing_folder_is_an_error(tmp_path):
    """It makes no lab."""
    with pytest.raises(LogError, match="There is no folder"):
        compact(tmp_path / "no")

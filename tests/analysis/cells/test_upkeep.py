"""Compacting in the background counts what it merged."""

import subprocess
import sys
from datetime import UTC, datetime
from random import Random

from cell_logs import event

from lectr_lab.analysis.cells.kept import kept_months
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import snapshot
from lectr_lab.log.schema import file_metadata, frame


def lab_of(tmp_path):
    """Two small parts of a day that is over."""
    lab = LabFolder.create(tmp_path / "lab")
    at, rng = datetime(2026, 9, 29, tzinfo=UTC), Random(3)
    lab.day(at.date()).mkdir()
    for name in ("a", "b"):
        rows = frame([event(rng, [at], ("chat",)) for _ in range(20)])
        path = lab.day(at.date()) / f"{name * 32}.parquet"
        rows.write_parquet(path, metadata=file_metadata())
    return lab


def compacted(*arguments):
    """In a process of its own, as the proxy starts it."""
    return subprocess.run(
        [sys.executable, "-m", "lectr_lab.analysis.cells.upkeep", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_was_merged_is_counted(tmp_path):
    """By month, too, where it is over."""
    lab = lab_of(tmp_path)

    done = compacted(str(lab.root))

    [part] = snapshot(lab.root).parts
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((lab.root / "cells").rglob("*.parquet"))) == 4 + 7
    assert kept_months(lab, [part]).left == []


def test_what_cannot_be_counted_fails_nothing(tmp_path):
    """The parts are merged."""
    lab = lab_of(tmp_path)
    (lab.root / "cells").write_text("no folder")

    done = compacted(str(lab.root))

    assert (done.returncode, done.stderr) == (0, "")
    assert len(snapshot(lab.root).parts) == 1
    assert "usage" in compacted().stderr

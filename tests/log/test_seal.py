"""Sealing: a finished segment becomes one part, and any reader can read it."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset
import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import NOTED, losses, noted_losses
from lectr_lab.log.seal import SealReport, seal
from lectr_lab.log.segment import batch, header


@pytest.fixture
def finished(lab, make_events):
    """A lab with one finished segment of seven events, and those events."""
    return add_segment(lab, make_events(7))


def add_segment(lab: LabFolder, events: list[Event]) -> list[Event]:
    writer = JournalWriter(lab)
    writer.append(events)
    writer.close()
    return events


def add_batch(lab: LabFolder, events: list[Event]) -> None:
    """One more batch of one segment, whose writer has ended."""
    [segment] = lab.segments() or [lab.segment(events[0].started_at.date(), "a" * 32)]
    with segment.open("ab") as file:
        file.write(batch(b"" if file.tell() else header(), events))


def sealed_tokens(lab: LabFolder) -> list[int]:
    return sorted(pl.scan_parquet(lab.log).collect()["input_tokens"].to_list())


def polars_reads(folder: Path) -> list[int]:
    return pl.scan_parquet(folder).collect()["input_tokens"].to_list()


def duckdb_reads(folder: Path) -> list[int]:
    rows = duckdb.sql(f"select input_tokens from '{folder}/*/*.parquet'").fetchall()
    return [tokens for (tokens,) in rows]


def pandas_reads(folder: Path) -> list[int]:
    return pd.read_parquet(folder)["input_tokens"].to_list()


def pyarrow_reads(folder: Path) -> list[int]:
    table = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
    return table["input_tokens"].to_pylist()


@pytest.mark.parametrize(
    "read", [polars_reads, duckdb_reads, pandas_reads, pyarrow_reads]
)
def test_any_reader_reads_the_log(lab, make_events, read):
    """Several days' parts, with one call and none of our code."""
    events = add_segment(lab, make_events(5) + make_events(4, day=1))
    seal(lab)

    assert sorted(read(lab.log)) == [e.input_tokens for e in events]


def test_a_segment_becomes_the_part_of_its_name(lab, finished):
    """One file under log/, private, and nothing left in the journal."""
    [segment] = lab.segments()

    report = seal(lab)

    part = lab.part(segment)
    assert report == SealReport(1, 7)
    assert [p for p in lab.log.rglob("*") if p.is_file()] == [part]
    assert part.stat().st_mode & 0o777 == 0o600
    assert list(lab.journal.iterdir()) == []
    assert sealed_tokens(lab) == [e.input_tokens for e in finished]


def test_a_live_segment_is_left_alone(lab, make_events):
    """Its writer still appends to it."""
    writer = JournalWriter(lab)
    writer.append(make_events(1))

    assert seal(lab) == SealReport()
    writer.append(make_events(1))
    writer.close()

    assert seal(lab).events == 2


def test_a_segment_with_a_part_is_only_removed(lab, finished):
    """A sealer that died between renaming and removing left no work but that."""
    [segment] = lab.segments()
    data = segment.read_bytes()
    seal(lab)
    segment.write_bytes(data)
    before = lab.part(segment).stat().st_mtime_ns

    assert seal(lab) == SealReport()

    assert lab.segments() == []
    assert lab.part(segment).stat().st_mtime_ns == before
    assert len(sealed_tokens(lab)) == 7


def test_what_a_dead_sealer_wrote_aside_is_overwritten(lab, finished):
    """Half a part in the journal's folder is nobody's."""
    [segment] = lab.segments()
    (lab.journal / f"{lab.part(segment).stem}.tmp").write_bytes(b"half a part")

    assert seal(lab).events == 7

    assert list(lab.journal.iterdir()) == []


def test_an_empty_segment_is_removed(lab, finished):
    """A writer that died before its first event left nothing to keep."""
    [segment] = lab.segments()
    segment.write_bytes(segment.read_bytes()[:12])
    segment.with_name(segment.name.replace("2026", "2025")).write_bytes(b"")

    assert seal(lab) == SealReport()

    assert list(lab.journal.iterdir()) == []
    assert list(lab.log.iterdir()) == []


def test_a_torn_end_is_said_and_kept(lab, finished):
    """What is whole is sealed; the file is set aside, and no reader counts it again."""
    [segment] = lab.segments()
    with segment.open("ab") as file:
        file.write(b"half a batch")

    report = seal(lab)

    assert report[:3] == (1, 7, Unread(1, 12, 0))
    assert segment.name in report.problems[0]
    assert [p.suffix for p in lab.journal.iterdir()] == [".bad"]
    assert seal(lab) == SealReport()
    assert len(sealed_tokens(lab)) == 7


def test_a_damaged_segment_is_set_aside_and_the_rest_sealed(lab, make_events):
    """What is whole in it is in the log; the file is named and kept."""
    add_segment(lab, make_events(3))
    [bad] = lab.segments()
    data = b"not a segment" + bad.read_bytes()
    bad.write_bytes(data)
    add_segment(lab, make_events(4))

    report = seal(lab)

    assert report.events == 7
    assert bad.name in report.problems[0]
    assert bad.with_suffix(".bad").read_bytes() == data
    assert lab.segments() == []


def test_sealing_does_not_launder(lab, make_events):
    """What a segment lost is noted before its part is there, and counts once."""
    for n in (2, 3, 4):
        add_batch(lab, make_events(n))
    [segment] = lab.segments()
    data = bytearray(segment.read_bytes())
    data[data.index(b"acme") + 200] ^= 1
    segment.write_bytes(data)
    before = losses(lab)

    seal(lab)
    # As after a sealer that died before it set the segment aside.
    segment.write_bytes(data)
    seal(lab)

    assert noted_losses(lab) == losses(lab) == before
    assert (before.unread.batches, before.unread.events) == (1, 2)
    assert sealed_tokens(lab) == [2, 3, 4, 5, 6, 7, 8]
    segment.with_suffix(".bad").unlink()
    assert losses(lab) == before


def test_what_an_older_version_set_aside_is_noted(lab, finished):
    """So that who reads notes alone knows of it."""
    [segment] = lab.segments()
    segment.write_bytes(segment.read_bytes()[:-1])
    segment.rename(segment.with_suffix(".bad"))
    assert noted_losses(lab).unread == Unread()
    before = losses(lab)

    seal(lab)

    assert noted_losses(lab) == before
    assert before.unread.batches == 1


def test_a_newer_segment_waits_for_a_newer_sealer(lab, finished):
    """It is whole: it stays where it is, and is named."""
    [segment] = lab.segments()
    data = bytearray(segment.read_bytes())
    data[10] += 5  # the schema version, by more than one flipped bit
    segment.write_bytes(data)

    report = seal(lab)

    assert report.events == 0
    assert "newer lectr_lab" in report.problems[0]
    assert segment.read_bytes() == data


def test_a_full_disk_leaves_the_segment(small_disk, make_events):
    """Sealing is tried again with room, and leaves no half part until then."""
    lab = LabFolder.create(small_disk / "lab")
    add_segment(lab, make_events(50))
    ballast = small_disk / "ballast"
    with pytest.raises(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))

    report = seal(lab)

    assert report.events == 0
    assert "No space left" in report.problems[0]
    assert [p.suffix for p in lab.journal.iterdir()] == [".journal"]
    ballast.unlink()
    assert seal(lab).events == 50


def test_sealers_do_not_disturb_each_other(lab, make_events):
    """Four at once: each event is in one part."""
    for _ in range(12):
        add_segment(lab, make_events(5))
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        reports = pool.map(seal, [lab] * 4)

    assert sum(r.events for r in reports) == 60
    assert [p for r in reports for p in r.problems] == []
    assert sealed_tokens(lab) == list(range(60))


def run_sealer(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lectr_lab.log.seal", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_the_command_is_silent_when_all_is_well(lab, finished):
    """It says nothing, and the part is there."""
    assert run_sealer(str(lab.root)) == (0, "")

    assert len(sealed_tokens(lab)) == 7


def test_the_command_says_in_one_line_what_is_wrong(lab, finished, tmp_path):
    """A missing folder, a bad segment, wrong usage: exit code and one line."""
    [segment] = lab.segments()
    segment.write_bytes(b"x" * 100)

    outcomes = [
        run_sealer(str(tmp_path / "no")),
        run_sealer(str(lab.root)),
        run_sealer(),
    ]

    assert [code for code, _ in outcomes] == [NOTED, NOTED, 2]
    assert [said.count(os.linesep) for _, said in outcomes] == [1, 1, 1]
    assert segment.name in outcomes[1][1]


def test_a_missing_folder_is_an_error(tmp_path):
    """Sealing makes no lab."""
    with pytest.raises(LogError, match="There is no folder"):
        seal(LabFolder(tmp_path / "no"))

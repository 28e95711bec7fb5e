"""Compaction: fewer files, the same rows, and a reader sees all of them or an error."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from msgspec.structs import replace
from polars.testing import assert_frame_equal

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.log.checksums import checksum, checksums
from lectr_lab.log.folder import LabFolder, day_locked
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.parts import current_schema, part_version
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import METADATA_KEY, frame, polars_schema
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact

DAY = date(2026, 11, 24)
NEXT = date(2026, 11, 25)


def add_segment(lab: LabFolder, events: list[Event]) -> Path:
    before = set(lab.segments())
    writer = JournalWriter(lab)
    writer.append(events)
    writer.close()
    return (set(lab.segments()) - before).pop()


def parts(lab: LabFolder) -> list[Path]:
    return sorted(lab.log.rglob("*.parquet"))


@pytest.fixture
def full(lab, make_events) -> tuple[LabFolder, list[Event]]:
    """A lab with five parts of ten rows on a closed day."""
    events = make_events(50)
    for start in range(0, 50, 10):
        add_segment(lab, events[start : start + 10])
    seal(lab)
    return lab, events


def test_a_closed_day_becomes_one_file_with_the_same_rows(full):
    """Private, with its checksum, and nothing is left in the journal."""
    lab, events = full

    report = compact(lab, today=NEXT)

    [part] = parts(lab)
    assert report[:4] == (1, 50, 5, 1)
    assert report.bytes_after == part.stat().st_size < report.bytes_before
    assert report.problems == ()
    assert_frame_equal(scan(lab.root).collect(), frame(events), check_row_order=False)
    assert part.stat().st_mode & 0o777 == 0o600
    assert part.parent.stat().st_mode & 0o777 == 0o700
    assert checksums(lab, DAY) == {part.name: {checksum(part)}}
    assert list(lab.journal.iterdir()) == []


def test_what_is_compact_stays_as_it_is(full, make_events):
    """Until a late part arrives; a full file is not merged again."""
    lab, events = full
    compact(lab, today=NEXT, rows_per_part=20)
    first = parts(lab)
    again = compact(lab, today=NEXT, rows_per_part=20)
    late = add_segment(lab, make_events(3))
    compact(lab, today=NEXT, rows_per_part=20)

    assert len(first) == 3
    assert again == (0, 0, 0, 0, 0, 0, ())
    assert len(set(first) & set(parts(lab))) == 2
    assert len(parts(lab)) == 3
    assert not late.exists()
    assert scan(lab.root).collect().height == len(events) + 3


def test_today_is_left_alone(full):
    """Its parts still come."""
    lab, _ = full

    assert compact(lab, today=DAY).days == 0
    assert len(parts(lab)) == 5


def test_a_dead_writers_segments_are_sealed_first(lab, make_events):
    """And merged in the same run."""
    add_segment(lab, make_events(3))
    add_segment(lab, make_events(3))

    assert compact(lab, today=NEXT).rows == 6
    assert lab.segments() == []
    assert len(parts(lab)) == 1


def test_no_segment_outlives_its_merged_part(full, monkeypatch):
    """A segment whose sealer is just about to remove it: the day waits for a next run."""
    lab, events = full
    [part, *_] = parts(lab)
    held = lab.segment(DAY, part.stem)
    module = sys.modules[compact.__module__]
    in_place = module._put_in_place

    def sealer_is_slow(*arguments: object) -> None:
        held.touch()
        in_place(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(module, "_put_in_place", sealer_is_slow)
        report = compact(lab, today=NEXT)
    assert report == (0, 0, 0, 0, 0, 0, ())
    assert len(parts(lab)) == 5

    compact(lab, today=NEXT)

    assert not held.exists()
    assert scan(lab.root).collect().height == len(events)
    assert len(parts(lab)) == 1


def test_a_part_sealed_while_the_day_is_built_is_carried_over(
    full, make_events, monkeypatch
):
    """And never missing for a moment: it is linked before the folders swap."""
    lab, events = full
    module = sys.modules[compact.__module__]
    merge = module.merge

    def meanwhile(*arguments: object, **named: object) -> object:
        add_segment(lab, make_events(4))
        seal(lab)
        return merge(*arguments, **named)

    monkeypatch.setattr(module, "merge", meanwhile)
    compact(lab, today=NEXT)

    assert len(parts(lab)) == 2
    assert set(checksums(lab, DAY)) == {part.name for part in parts(lab)}
    assert pl.read_parquet(lab.log).height == len(events) + 4


@pytest.mark.parametrize("died", ["building", "swapped"])
def test_a_run_that_died_leaves_nothing_behind(full, died, monkeypatch):
    """Before or after the swap: the next one removes what it left."""
    lab, events = full
    module = sys.modules[compact.__module__]

    def dies(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", lambda *a, **k: None)  # nor cleans up
        step = "exchange" if died == "building" else "replace_checksums"
        patched.setattr(module, step, dies)
        with pytest.raises(KeyboardInterrupt):
            compact(lab, today=NEXT)
    left = list(lab.journal.iterdir())
    assert scan(lab.root).collect().height == len(events)

    compact(lab, today=NEXT)

    assert len(left) == 1
    assert list(lab.journal.iterdir()) == []
    assert sorted(scan(lab.root).collect()["input_tokens"]) == list(range(50))


def flip(data: bytes) -> bytes:
    middle = len(data) // 3
    return data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]


@pytest.mark.parametrize("break_", [flip, lambda data: data[:-50], lambda data: b"no"])
def test_a_bad_part_is_named_and_stays(full, break_: Callable[[bytes], bytes]):
    """A flipped bit too: readers do not notice it, the checksum does."""
    lab, _ = full
    bad = parts(lab)[2]
    bad.write_bytes(break_(bad.read_bytes()))

    report = compact(lab, today=NEXT)

    [problem] = report.problems
    assert str(bad) in problem
    assert bad.exists()
    assert len(parts(lab)) == 2
    assert report.rows == 40


def test_a_foreign_file_is_carried_over(full):
    """Whatever somebody put into a day's folder is there afterwards."""
    lab, _ = full
    (lab.day(DAY) / "notes.txt").write_text("hello")

    compact(lab, today=NEXT)

    assert (lab.day(DAY) / "notes.txt").read_text() == "hello"


def test_a_file_system_that_cannot_swap_keeps_its_parts(full, monkeypatch):
    """It is a problem, said once, and nothing is changed."""
    lab, _ = full

    def cannot(one: Path, other: Path) -> None:
        raise OSError("this file system cannot swap two folders in one step")

    monkeypatch.setattr(sys.modules[compact.__module__], "exchange", cannot)
    report = compact(lab, today=NEXT)

    assert ["cannot swap" in problem for problem in report.problems] == [True]
    assert len(parts(lab)) == 5
    assert list(lab.journal.iterdir()) == []


def test_one_run_at_a_time(full):
    """The second says so and does nothing."""
    lab, _ = full

    with day_locked(lab.journal, alone=True):
        report = compact(lab, today=NEXT)

    assert report.days == 0
    assert "another process" in report.problems[0]


def test_a_new_version_rewrites_old_parts(full):
    """An invented next version: `feature` becomes `topic`; the rows are the same."""
    lab, _ = full
    compact(lab, today=NEXT)
    old = pl.read_parquet(parts(lab), hive_partitioning=False)
    columns = {
        ("topic" if n == "feature" else n): t for n, t in polars_schema().items()
    }
    next_version = current_schema()._replace(
        version=SCHEMA_VERSION + 1,
        columns=pl.Schema(columns),
        migrations={SCHEMA_VERSION: lambda rows: rows.rename({"feature": "topic"})},
        metadata={METADATA_KEY: json.dumps({"schema_version": SCHEMA_VERSION + 1})},
    )

    report = compact(lab, today=NEXT, schema=next_version)
    again = compact(lab, today=NEXT, schema=next_version)

    [part] = parts(lab)
    assert (report.rows, again.rows) == (50, 0)
    assert part_version(part) == SCHEMA_VERSION + 1
    assert_frame_equal(
        pl.read_parquet(part, hive_partitioning=False),
        old.rename({"feature": "topic"}),
        check_row_order=False,
    )


def test_progress_is_in_bytes_of_all_closed_days(full, make_events):
    """It never goes back, and ends at the total."""
    lab, _ = full
    add_segment(lab, make_events(5, day=-3))
    add_segment(lab, make_events(5, day=-3))
    seal(lab)
    total = sum(part.stat().st_size for part in parts(lab))
    told: list[tuple[int, int]] = []

    compact(lab, today=NEXT, on_bytes=lambda *done: told.append(done))

    assert {of for _, of in told} == {total}
    assert told == sorted(told)
    assert told[-1] == (total, total)


def duckdb_counts(folder: Path) -> int:
    return duckdb.sql(f"select count(*) from '{folder}/*/*.parquet'").fetchall()[0][0]


def polars_counts(folder: Path) -> int:
    return pl.read_parquet(folder, columns=["input_tokens"]).height


def scan_counts(folder: Path) -> int:
    return scan(folder.parent).select("input_tokens").collect().height


@pytest.mark.parametrize("count", [polars_counts, duckdb_counts, scan_counts])
def test_a_reader_sees_every_row_once_or_an_error(full, make_events, count):
    """While the day is compacted again and again, with late parts in between."""
    lab, events = full
    compact(lab, today=NEXT)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.append(count(lab.log))
            except (OSError, pl.exceptions.PolarsError, duckdb.Error):
                continue  # the files it had listed are merged

    reader = threading.Thread(target=read)
    reader.start()
    sealed = [len(events)]
    for _ in range(15):
        add_segment(lab, make_events(1))
        sealed.append(sealed[-1] + 1)
        seal(lab)
        compact(lab, today=NEXT)
    done.set()
    reader.join()

    assert len(seen) > 3
    assert set(seen) <= set(sealed)
    assert seen == sorted(seen)


@pytest.mark.slow
def test_compactors_that_are_killed_lose_and_double_nothing(lab, make_events):
    """Two at a time, at random moments; then one that may finish tidies up."""
    chance = random.Random(4)
    command = [sys.executable, "-m", "lectr_lab.log.upkeep.compact", str(lab.root)]
    written = 0
    for _ in range(12):
        for _ in range(5):
            add_segment(lab, make_events(20, day=-365))
            written += 20
        seal(lab)
        compactors = [
            subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)
        ]
        time.sleep(chance.uniform(0.25, 0.8))
        for compactor in compactors:
            compactor.kill()
            compactor.wait()
        assert sorted(scan(lab.root).collect()["input_tokens"]) == list(range(written))
        assert pl.read_parquet(lab.log).height == written

    compact(lab)

    assert len(parts(lab)) == 1
    assert pl.read_parquet(lab.log).height == written
    assert list(lab.journal.iterdir()) == []


def run_compactor(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "lectr_lab.log.upkeep.compact", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_program_is_silent_when_all_is_well(lab, make_events):
    """It compacts up to yesterday, by its own clock."""
    for _ in range(3):
        add_segment(lab, make_events(2, day=-365))

    assert run_compactor(str(lab.root)) == (0, "")
    assert len(parts(lab)) == 1


@pytest.mark.parametrize("flags", [(), ("--keep-request-ids",)])
def test_the_program_keeps_the_ids_it_is_told_to(lab, make_events, flags):
    """Those of calls that ended well go, unless they are to stay."""
    events = make_events(3, day=-365)
    named = [replace(event, provider_request_id="req_1") for event in events]
    add_segment(lab, named)

    assert run_compactor(*flags, str(lab.root)) == (0, "")
    ids = scan(lab.root).collect()["provider_request_id"]
    assert set(ids) == ({"req_1"} if flags else {None})


def test_the_program_says_what_is_wrong(tmp_path):
    """A missing folder, wrong usage: exit code and one line."""
    code, said = run_compactor(str(tmp_path / "no"))

    assert (code, said.count("\n")) == (1, 1)
    assert run_compactor()[0] == 2
    with pytest.raises(LogError, match="There is no folder"):
        compact(LabFolder(tmp_path / "no"))

"""Reading a lab: every event once, at every moment; bad files named and left out."""

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from polars.testing import assert_frame_equal

from lectr_lab.core.errors import LogError
from lectr_lab.core.event import SCHEMA_VERSION, Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.parts import current_schema
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.schema import file_metadata, frame, polars_schema
from lectr_lab.log.seal import seal
from lectr_lab.log.segment import batch


def tokens(folder: Path) -> list[int]:
    """Each event's own number, sorted: what is there, and how often."""
    return sorted(scan(folder).collect()["input_tokens"].to_list())


def add_segment(lab: LabFolder, events: list[Event]) -> Path:
    """The new segment; segments of one millisecond have no order."""
    before = set(lab.segments())
    writer = JournalWriter(lab)
    writer.append(events)
    writer.close()
    return max(set(lab.segments()) - before)


def test_sealed_and_unsealed_events_are_one_log(lab, make_events):
    """Exactly the schema's columns, from parts, finished segments and live ones."""
    events = make_events(9, day=1) + make_events(9)
    add_segment(lab, events[:6])
    seal(lab)
    add_segment(lab, events[6:12])
    writer = JournalWriter(lab)
    writer.append(events[12:])

    log = scan(lab.root)

    assert log.collect_schema() == polars_schema()
    assert_frame_equal(log.collect(), frame(events), check_row_order=False)
    writer.close()


def test_one_day_is_read_alone(lab, make_events):
    """Its parts and its segments; a day without any is empty."""
    first, second = make_events(4), make_events(4, day=1)
    add_segment(lab, first[:2] + second[:2])
    seal(lab)
    add_segment(lab, first[2:] + second[2:])

    for events in (first, second):
        day = events[0].started_at.date()
        found = scan(lab.root, day).collect()
        assert_frame_equal(found, frame(events), check_row_order=False)
    assert scan(lab.root, day + timedelta(days=1)).collect().is_empty()


def test_an_event_is_visible_once_it_is_appended(lab, make_events):
    """While its writer lives and nothing is sealed."""
    writer = JournalWriter(lab)
    seen = []
    for _ in range(3):
        writer.append(make_events(1))
        seen.append(len(tokens(lab.root)))
    writer.close()

    assert seen == [1, 2, 3]


def test_a_segment_and_its_part_count_once(lab, make_events):
    """As after a sealer that died before it removed the segment."""
    add_segment(lab, make_events(3))
    [segment] = lab.segments()
    data = segment.read_bytes()
    seal(lab)
    segment.write_bytes(data)

    assert tokens(lab.root) == [0, 1, 2]


def test_an_empty_lab_is_an_empty_log(lab, tmp_path):
    """With or without its folders, as a frame with every column."""
    (tmp_path / "bare").mkdir()

    for folder in (lab.root, tmp_path / "bare"):
        rows = scan(str(folder)).collect()
        assert rows.schema == polars_schema()
        assert rows.height == 0


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    """A misspelt path is not an empty log."""
    with pytest.raises(LogError, match="There is no folder"):
        scan(tmp_path / "nowhere")


def test_a_bare_folder_of_parts_is_a_log(lab, make_events, tmp_path):
    """Such as a demo's data: parts, at any depth, without a journal."""
    add_segment(lab, make_events(3) + make_events(2, day=1))
    seal(lab)
    shutil.copytree(lab.log, tmp_path / "demo")

    assert tokens(tmp_path / "demo") == [0, 1, 2, 3, 4]


def break_part(part: Path, how: str) -> None:
    data = part.read_bytes()
    damage = {
        "cut short": data[:-100],
        "zeros": bytes(len(data)),
        "empty": b"",
        "not Parquet": b"hello " * 100,
        "broken footer": data[:-3000] + bytes(2000) + data[-1000:],
    }
    part.write_bytes(damage[how])


@pytest.mark.parametrize(
    "how", ["cut short", "zeros", "empty", "not Parquet", "broken footer"]
)
def test_a_corrupt_part_is_named_and_left_out(lab, make_events, how):
    """The rest of the log is there."""
    add_segment(lab, make_events(2))
    bad = lab.part(add_segment(lab, make_events(2)))
    add_segment(lab, make_events(2))
    seal(lab)
    break_part(bad, how)

    with pytest.warns(LogWarning, match=bad.name):
        assert tokens(lab.root) == [0, 1, 4, 5]


def test_somebody_elses_parquet_is_named_and_left_out(lab, make_events):
    """Other columns, or ours with other types, are not this log."""
    add_segment(lab, make_events(2))
    seal(lab)
    pl.DataFrame({"a": [1]}).write_parquet(lab.log / "other.parquet")
    wrong = frame(make_events(1)).with_columns(pl.col("org").cast(pl.Binary))
    wrong.write_parquet(lab.log / "wrong.parquet")

    with pytest.warns(LogWarning) as warned:
        assert tokens(lab.root) == [0, 1]
    assert ["other.parquet" in str(w.message) for w in warned] == [True, False]
    assert "its column org is Binary, not String" in str(warned[1].message)


def test_foreign_files_are_ignored(lab, make_events):
    """Notes and hidden files in any folder cost nothing, not even a warning."""
    add_segment(lab, make_events(2))
    seal(lab)
    add_segment(lab, make_events(2))
    for folder in (lab.log, lab.journal, lab.state, lab.root):
        (folder / "notes.txt").write_text("hello")
        (folder / ".DS_Store").write_bytes(b"\0")

    assert tokens(lab.root) == [0, 1, 2, 3]


def test_a_corrupt_segment_is_named_and_the_rest_read(lab, make_events):
    """A file of something else is lost; a torn end only the end."""
    first = add_segment(lab, make_events(2))
    second = add_segment(lab, make_events(2))
    add_segment(lab, make_events(2))
    first.write_bytes(b"x" * 200)
    with second.open("ab") as file:
        file.write(b"half a batch")

    with pytest.warns(LogWarning) as warned:
        assert tokens(lab.root) == [2, 3, 4, 5]
    said = "\n".join(sorted(str(w.message) for w in warned))
    assert len(warned) == 2
    assert f"{first}: 1 batch (200 bytes) could not be read." in said
    assert f"{second}: 1 batch (12 bytes) could not be read." in said


def test_a_damaged_batch_is_said_while_its_writer_lives_and_ever_after(
    lab, make_events
):
    """The others are there at once; sealing hides nothing, nor does another day."""
    writer = JournalWriter(lab)
    for n in (2, 3, 4):
        writer.append(make_events(n))
    writer.append(make_events(1, day=1))
    segment = lab.segments()[0]
    with segment.open("r+b") as file:
        file.seek(40)
        file.write(b"?")
    said = []

    for step in (lambda: None, writer.close, lambda: seal(lab)):
        step()
        with pytest.warns(LogWarning) as warned:
            assert tokens(lab.root) == [2, 3, 4, 5, 6, 7, 8, 9]
        said += [str(w.message) for w in warned]
    assert len(said) == 3
    assert all("1 batch" in one and "could not be read" in one for one in said)
    assert scan(lab.root, date(2026, 11, 25)).collect().height == 1


def test_what_a_living_writer_has_not_finished_is_no_warning(lab, make_events):
    """Readers look while it writes."""
    writer = JournalWriter(lab)
    writer.append(make_events(2))
    [segment] = lab.segments()
    with segment.open("ab") as file:
        file.write(batch(b"", make_events(1))[:-1])

    assert tokens(lab.root) == [0, 1]
    writer.close()
    with pytest.warns(LogWarning, match="1 batch"):
        assert tokens(lab.root) == [0, 1]


def test_an_older_part_lacks_only_what_it_never_had(lab, make_events):
    """Columns added since are null; one that was dropped is left out."""
    add_segment(lab, make_events(2))
    seal(lab)
    old = frame(make_events(2)).drop("agreement", "temperature")
    metadata = {"lectr_lab": '{"schema_version":0}'}
    old.with_columns(gone=pl.lit(1)).write_parquet(
        lab.log / "old.parquet", metadata=metadata
    )

    rows = scan(lab.root).collect()

    assert rows.schema == polars_schema()
    assert sorted(rows["input_tokens"].to_list()) == [0, 1, 2, 3]


def test_parts_of_two_versions_are_one_log(lab, make_events, monkeypatch):
    """An invented next version renames a column: old parts are read through a migration."""
    add_segment(lab, make_events(2))
    seal(lab)
    columns = {
        ("topic" if n == "feature" else n): t for n, t in polars_schema().items()
    }
    next_version = current_schema()._replace(
        version=SCHEMA_VERSION + 1,
        columns=pl.Schema(columns),
        migrations={SCHEMA_VERSION: lambda rows: rows.rename({"feature": "topic"})},
    )
    frame(make_events(2)).rename({"feature": "topic"}).write_parquet(
        lab.log / "new.parquet",
        metadata={"lectr_lab": json.dumps({"schema_version": SCHEMA_VERSION + 1})},
    )
    module = sys.modules[scan.__module__]
    monkeypatch.setattr(module, "current_schema", lambda: next_version)

    rows = scan(lab.root).collect()

    assert rows.schema == next_version.columns
    assert sorted(rows["input_tokens"]) == [0, 1, 2, 3]
    assert rows["topic"].to_list() == ["chat"] * 4


def test_a_filter_on_time_reaches_the_parts(lab, make_events):
    """Row groups outside it need not be read: the plan filters inside the scan."""
    events = make_events(3) + make_events(3, day=1)
    add_segment(lab, events)
    seal(lab)
    add_segment(lab, make_events(1))

    log = scan(lab.root).filter(pl.col("started_at") >= events[3].started_at)

    parquet = log.explain().split("Parquet SCAN")[1]
    assert "SELECTION" in parquet
    assert sorted(log.collect()["input_tokens"].to_list()) == [3, 4, 5]


def merge(lab: LabFolder) -> None:
    """What compaction does: each day's parts become one, of another name."""
    seal(lab)
    for day in lab.log.iterdir():
        parts = sorted(day.glob("*.parquet"))
        rows = pl.concat(pl.read_parquet(p, hive_partitioning=False) for p in parts)
        for part in parts:
            part.unlink()
        name = f"{secrets.token_hex(16)}.parquet"
        rows.write_parquet(day / name, metadata=file_metadata())


@pytest.mark.parametrize("meanwhile", [seal, merge])
@pytest.mark.parametrize("step", ["_tail", "parts_of"])
def test_what_is_sealed_between_two_looks_counts_once(
    lab, make_events, monkeypatch, step, meanwhile
):
    """Before or after a segment is read, before or after the parts are listed."""
    module = sys.modules[scan.__module__]
    look = getattr(module, step)

    def before(*at: object) -> object:
        if lab.segments():
            meanwhile(lab)
        return look(*at)

    def after(*at: object) -> object:
        found = look(*at)
        if lab.segments():
            meanwhile(lab)
        return found

    seen = []
    for moment in (before, after):
        add_segment(lab, make_events(2))
        add_segment(lab, make_events(2))
        with monkeypatch.context() as patched:
            patched.setattr(module, step, moment)
            seen.append(tokens(lab.root))

    assert seen == [[0, 1, 2, 3], list(range(8))]


class EveryMoment(RuleBasedStateMachine):
    """Two writers, sealers that finish or die, parts merged: N events are N rows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.lab = LabFolder.create(Path(self.folder.name) / "lab")
        self.writers = [JournalWriter(self.lab) for _ in range(2)]
        self.written = 0

    @rule(writer=st.integers(0, 1), days=st.lists(st.integers(0, 2), max_size=4))
    def append(self, writer, days):
        events = [self.event(self.written + i, day) for i, day in enumerate(days)]
        self.writers[writer].append(events)
        self.written += len(events)

    @rule(writer=st.integers(0, 1))
    def rotate(self, writer):
        self.writers[writer].rotate()

    @rule(writer=st.integers(0, 1))
    def restart(self, writer):
        self.writers[writer].close()
        self.writers[writer] = JournalWriter(self.lab)

    @rule()
    def seal_all(self):
        assert seal(self.lab).problems == ()

    @rule()
    def seal_and_die_before_the_segments_are_removed(self):
        segments = {path: path.read_bytes() for path in self.lab.segments()}
        seal(self.lab)
        for path, data in segments.items():
            if not path.exists():
                path.write_bytes(data)

    @rule()
    def merge_the_parts_of_each_day(self):
        merge(self.lab)

    @invariant()
    def each_event_is_there_once(self):
        assert tokens(self.lab.root) == list(range(self.written))

    def event(self, number, day):
        at = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=day)
        return Event(
            event_id=number.to_bytes(16),
            started_at=at,
            org="o",
            path="/",
            operation="chat",
            outcome="ok",
            total_ms=1.0,
            input_tokens=number,
        )

    def teardown(self):
        for writer in self.writers:
            writer.close()
        self.folder.cleanup()


EveryMoment.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None
)
TestEveryMoment = EveryMoment.TestCase


WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter

writer = JournalWriter(LabFolder(Path(sys.argv[1])), max_bytes=20_000)
at = datetime(2026, 11, 24, tzinfo=UTC)
for number in range(int(sys.argv[2]), 10**9, 10):
    writer.append([
        Event(event_id=i.to_bytes(16), started_at=at, org="o", path="/", total_ms=1.0,
              operation="chat", outcome="ok", input_tokens=i)
        for i in range(number, number + 10)
    ])
    print(number + 10, flush=True)
    time.sleep(0.005)
    if writer.due():
        writer.rotate()
"""


@pytest.mark.slow
def test_no_row_is_missed_or_doubled_while_others_seal_and_die(lab):
    """Writers and sealers that are killed at random, and a reader that keeps counting."""
    random = Random(4)
    acknowledged = 0
    seal_command = [sys.executable, "-m", "lectr_lab.log.seal", str(lab.root)]
    sealers = [subprocess.Popen(seal_command) for _ in range(2)]
    ends = time.monotonic() + 8
    while time.monotonic() < ends:
        command = [sys.executable, "-c", WRITER, str(lab.root), str(acknowledged)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        killed_at = time.monotonic() + random.uniform(0.2, 0.8)
        while time.monotonic() < killed_at:
            acknowledged = int(writer.stdout.readline())
            here = tokens(lab.root)
            assert len(here) >= acknowledged
            assert here == list(range(len(here)))
        writer.kill()
        writer.communicate()
        acknowledged = len(tokens(lab.root))  # it may have written one batch more
        random.choice(sealers).kill()
        for number, sealer in enumerate(sealers):
            if sealer.poll() is not None:
                sealers[number] = subprocess.Popen(seal_command)
    for sealer in sealers:
        sealer.wait()
    seal(lab)

    assert tokens(lab.root) == list(range(acknowledged))
    assert sorted(pl.read_parquet(lab.log)["input_tokens"]) == list(range(acknowledged))

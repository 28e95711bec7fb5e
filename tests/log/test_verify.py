"""Parts are looked at before they are read, once, and what is wrong is left out."""

import os
import subprocess
import sys
from datetime import date
from random import Random

import polars as pl
import pytest

from lectr_lab.log import verify
from lectr_lab.log.checksums import checksum_file
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import losses, noted_losses
from lectr_lab.log.parts import current_schema
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.log.verify import ailment, bad_parts, is_bare, parts_of

DAY = date(2026, 11, 24)
READ_ALL = """
import resource, sys, warnings
from lectr_lab.log.scan import scan
warnings.simplefilter("ignore")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(scan(sys.argv[1]).collect().height)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture
def three(lab, make_events) -> LabFolder:
    """Three parts of one day, of four rows each."""
    for _ in range(3):
        writer = JournalWriter(lab)
        writer.append(make_events(4))
        writer.close()
        seal(lab)
    return lab


@pytest.fixture
def looked_at(monkeypatch) -> list[str]:
    """The names of the parts whose bytes were read, in order."""
    names = []
    real = verify._look

    def look(part, sums):
        names.append(part.name)
        return real(part, sums)

    monkeypatch.setattr(verify, "_look", look)
    return names


def tokens(lab: LabFolder) -> list[int]:
    return sorted(scan(lab.root).collect()["input_tokens"].to_list())


def flip(path, at: int = 200) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_each_part_is_looked_at_once_on_a_machine(three, looked_at, make_events):
    """Also by another process, which has the memory of `state/verified` alone."""
    names = [part.name for part in parts_of(three)]
    tokens(three)
    verify._seen.cache_clear()
    tokens(three)
    writer = JournalWriter(three)
    writer.append(make_events(1))
    writer.close()
    seal(three)
    tokens(three)

    assert looked_at[:3] == names
    assert len(looked_at) == 4
    assert (three.state / "verified").stat().st_mode & 0o777 == 0o600


def test_who_may_not_write_looks_once_a_process(three, looked_at):
    """And finds the same."""
    three.state.rename(three.root / "elsewhere")  # as good as a folder of others
    for _ in range(2):
        assert tokens(three) == list(range(12))

    assert len(looked_at) == 3


def test_a_flipped_bit_is_no_value(three):
    """The part is named, its rows are left out, and every count says so alike."""
    bad = parts_of(three)[1]
    flip(bad)

    with pytest.warns(LogWarning) as warned:
        assert tokens(three) == [0, 1, 2, 3, 8, 9, 10, 11]

    assert [str(w.message).count(bad.name) for w in warned] == [1]
    assert "not those that were written" in str(warned[0].message)
    assert noted_losses(three) == losses(three)
    assert losses(three).unread[:] == (0, bad.stat().st_size, 0, 1, 0)


def test_a_segment_that_is_still_there_counts_for_its_bad_part(lab, make_events):
    """As after a sealer that died before it removed it."""
    writer = JournalWriter(lab)
    writer.append(make_events(4))
    writer.close()
    [segment] = lab.segments()
    data = segment.read_bytes()
    seal(lab)
    segment.write_bytes(data)
    flip(lab.part(segment))

    with pytest.warns(LogWarning, match=lab.part(segment).name):
        assert tokens(lab) == [0, 1, 2, 3]


def test_a_part_that_is_brought_back_counts_again(three):
    """From a copy; what was noted of it is taken back."""
    bad = parts_of(three)[1]
    copy = bad.read_bytes()
    flip(bad)
    with pytest.warns(LogWarning):
        tokens(three)

    bad.write_bytes(copy)

    assert tokens(three) == list(range(12))
    assert not any(losses(three).unread)
    assert not list(three.state.glob("unread.*"))


def test_a_loss_is_counted_where_no_note_can_be_written(three):
    """A report of somebody who may only read says it as well."""
    flip(parts_of(three)[1])
    sums = checksum_file(three, DAY).read_bytes()
    three.state.rename(three.root / "elsewhere")
    three.state.mkdir()
    checksum_file(three, DAY).write_bytes(sums)
    os.mkfifo(three.state / "verified")

    assert losses(three).unread.files == 1


def test_what_was_verified_is_verified_again_once_it_is_another(three, looked_at):
    """Another time, size or inode; not another name of the same day's folder."""
    part = parts_of(three)[0]
    tokens(three)
    stat = part.stat()
    os.utime(part, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    tokens(three)

    assert looked_at[3:] == [part.name]


def test_lines_of_parts_that_are_gone_go(three):
    """The file does not grow with what is merged."""
    tokens(three)
    compact(three, today=date(2026, 12, 1))
    assert tokens(three) == list(range(12))

    head, *lines = (three.state / "verified").read_text().splitlines()
    assert "verified" in head
    assert len(lines) == 1


@pytest.mark.parametrize("text", [b"", b"\xff\n", b"lectr_lab verified 0\nx\n"])
def test_a_memory_that_is_none_is_written_anew(three, looked_at, text):
    """Of another version, or damaged."""
    tokens(three)
    verify._seen.cache_clear()
    (three.state / "verified").write_bytes(text)
    tokens(three)

    assert len(looked_at) == 6


def test_a_part_of_unknown_checksum_is_read_before_it_is_relied_on(three):
    """Wherever a byte of it is wrong: it is read as it is, or left out."""
    checksum_file(three, DAY).unlink()
    part = parts_of(three)[1]
    whole = part.read_bytes()
    random = Random(16)
    left_out = 0
    for _ in range(60):
        data = bytearray(whole)
        at = random.randrange(4, len(data))
        data[at : at + 8] = random.randbytes(len(data[at : at + 8]))
        part.write_bytes(data)
        bad = bad_parts(three, parts_of(three), current_schema())
        assert bad.keys() <= {part}
        left_out += len(bad)
        good = [p for p in parts_of(three) if p not in bad]
        pl.scan_parquet(good, schema=current_schema().columns).collect()

    assert left_out > 10


def test_more_rows_than_bytes_are_no_log(lab):
    """A small file of millions of equal rows is refused in little memory."""
    lab.day(DAY).mkdir()
    part = lab.day(DAY) / "bomb.parquet"
    row = frame([]).clear(1).with_columns(event_id=pl.lit(b"x" * 16))
    rows = pl.concat([row] * 1_000).rechunk()
    pl.concat([rows] * 3_000).write_parquet(part, metadata=file_metadata())
    assert part.stat().st_size < 1_000_000

    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(lab.root)],
        capture_output=True,
        check=True,
        text=True,
    )

    rows, grown_kb = map(int, done.stdout.split())
    assert rows == 0
    assert grown_kb < 300_000
    assert "3,000,000 rows in" in (ailment(part, current_schema(), ()) or "")


def test_what_is_no_file_is_named_and_not_waited_for(three):
    """A pipe, a link, a folder: each is left out, and doctors and compactors go on."""
    folder = three.day(DAY)
    first = parts_of(three)[0]
    os.mkfifo(folder / "a.parquet")
    (folder / "b.parquet").symlink_to(first)
    (folder / "c.parquet").mkdir()
    (folder / "d.parquet").symlink_to("/dev/zero")

    with pytest.warns(LogWarning) as warned:
        assert tokens(three) == list(range(12))
    (folder / "c.parquet").rmdir()
    report = compact(three, today=date(2026, 12, 1))

    kinds = [str(w.message).split("it is ")[1].split(",")[0] for w in warned]
    assert kinds == ["a pipe", "a link", "a folder", "a link"]
    assert len(report.problems) == 3
    assert report.rows == 12


def test_a_link_in_the_place_of_a_day_is_not_followed(three):
    """Its rows would count twice, and once more under its own date."""
    other = date(2026, 11, 25)
    three.day(other).symlink_to(three.day(DAY))

    assert tokens(three) == list(range(12))
    assert scan(three.root, other).collect().is_empty()
    assert three.days() == [DAY]


def test_a_folder_of_parts_may_hold_links(three, tmp_path):
    """As caches and data versioning leave them."""
    folder = tmp_path / "bare"
    folder.mkdir()
    for part in parts_of(three):
        (folder / part.name).symlink_to(part)

    assert is_bare(LabFolder(folder))
    assert sorted(scan(folder).collect()["input_tokens"]) == list(range(12))

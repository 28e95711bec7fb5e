"""A day's rows change for others in one step, or not at all."""

from datetime import date

import polars as pl
import pytest

from lectr_lab.log.checksums import checksums
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.upkeep import replace
from lectr_lab.log.upkeep.doctor import examine
from lectr_lab.log.upkeep.replace import replace_rows

DAY = date(2026, 11, 24)


def tokens(lab):
    return sorted(scan(lab.root).collect()["input_tokens"])


def test_rows_go_as_others_come(lab, make_events):
    """Parts without such a row stay the files that they were; one of which nothing is
    left is gone."""
    rows = frame(make_events(9))
    replace_rows(lab, DAY, [rows[:3], rows[3:4], rows[4:6]])
    first, second, third = sorted(
        lab.day(DAY).iterdir(), key=lambda p: pl.read_parquet(p)["input_tokens"][0]
    )
    kept = (third.stat().st_ino, third.read_bytes())

    gone = [rows["event_id"][0], rows["event_id"][3]]
    old = replace_rows(lab, DAY, [rows[6:]], gone, [first, second])

    assert tokens(lab) == [1, 2, 4, 5, 6, 7, 8]
    assert not first.exists()
    assert (third.stat().st_ino, third.read_bytes()) == kept
    assert old is not None
    assert old.is_dir()
    assert set(checksums(lab, DAY)) == {p.name for p in lab.day(DAY).iterdir()}
    assert [f for f in examine(lab) if "compact" not in str(f)] == []


def test_a_day_that_was_changed_meanwhile_stays(lab, make_events):
    """The part that was to be rewritten is gone."""
    rows = frame(make_events(4))
    replace_rows(lab, DAY, [rows[:2]])
    [part] = lab.day(DAY).iterdir()
    moved = part.with_name(f"{7:032x}.parquet")
    real = replace._write_rest

    def moves(*given):
        real(*given)
        part.rename(moved)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replace, "_write_rest", moves)
        with pytest.raises(OSError, match="changed by somebody else"):
            replace_rows(lab, DAY, [rows[2:]], [rows["event_id"][0]], [part])

    assert tokens(lab) == [0, 1]
    assert not list(lab.journal.glob("*.compact"))


def test_what_a_part_says_of_itself_stays(lab, make_events):
    """Its version, and how it was merged."""
    rows = frame(make_events(3))
    lab.day(DAY).mkdir()
    part = lab.day(DAY) / f"{1:032x}.parquet"
    rows.write_parquet(part, metadata={**file_metadata(), "lectr_lab_merged_rows": "3"})

    replace_rows(lab, DAY, [], [rows["event_id"][0]], [part])

    [new] = lab.day(DAY).iterdir()
    assert pl.read_parquet_metadata(new)["lectr_lab_merged_rows"] == "3"

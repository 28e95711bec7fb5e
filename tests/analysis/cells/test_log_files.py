"""The files of a lab folder, as views ask for them."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.analysis.cells.log_files import LabFiles
from lectr_lab.core.event import Event
from lectr_lab.log.scan import snapshot
from lectr_lab.log.schema import frame

FIRST = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def files(tmp_path):
    """A part a day, of an hour's request each."""
    for day in range(3):
        at = FIRST + timedelta(days=day)
        folder = tmp_path / "log" / f"date={at.date()}"
        folder.mkdir(parents=True)
        some = [
            Event(
                event_id=bytes(16),
                started_at=at + timedelta(hours=h),
                org="acme",
                path="/v1/x",
                operation="chat",
                outcome="ok",
                total_ms=1.0,
            )
            for h in range(4)
        ]
        frame(some).write_parquet(folder / "a.parquet")
    return LabFiles(snapshot(tmp_path))


def test_its_rows_are_read_by_part_and_time(files):
    """All, those of a time, those of some parts."""
    assert len(files.parts) == 3 and not files.is_far
    assert files.rows().collect().height == 12
    two = files.between(FIRST + timedelta(hours=3), FIRST + timedelta(days=1, hours=1))
    assert two.collect().height == 2
    assert [one.collect().height for one in files.each(files.parts[:2])] == [4, 4]
    assert files.size(files.parts) == sum(p.stat().st_size for p in files.parts)


def test_what_was_counted_lies_beside_them(files):
    """Of days, and of months; a month as one has fewer sums."""
    assert files.facts(files.parts).left == []
    days = files.months(files.parts)
    as_one = files.months(files.parts, as_one=lambda month: month == date(2026, 11, 1))

    sums = [pl.read_parquet(one.sums)["rows"].sum() for one in (days, as_one)]
    assert sums == [12, 12]
    assert days.sums != as_one.sums and days.rest == as_one.rest

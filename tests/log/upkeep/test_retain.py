"""Retention: whole days, the oldest first, never today."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from lectr_lab.core.errors import LogError
from lectr_lab.log.checksums import checksum_file
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import Unread
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import noted_losses
from lectr_lab.log.upkeep.retain import retain

TODAY = date(2026, 11, 24)


@pytest.fixture
def week(lab, make_events) -> LabFolder:
    """A lab with one part on each of six days and today, not sealed yet."""
    writer = JournalWriter(lab)
    for ago in range(7):
        writer.append(make_events(2, day=-ago))
    writer.close()
    return lab


def days_ago(lab: LabFolder) -> list[int]:
    return [(TODAY - day).days for day in lab.days()]


def test_days_beyond_an_age_go(week):
    """With their checksums; today and the days asked for stay."""
    gone = TODAY - timedelta(days=3)

    report = retain(week, max_age_days=2, today=TODAY)

    assert days_ago(week) == [2, 1, 0]
    assert report.days == tuple(TODAY - timedelta(days=n) for n in (6, 5, 4, 3))
    assert report.freed_bytes > 0
    assert not checksum_file(week, gone).exists()
    assert list(week.journal.iterdir()) == []


def test_what_could_not_be_read_of_a_day_goes_with_it(week):
    """Neither it nor its note outlives the day."""
    old, young = week.segments()[0], week.segments()[-1]
    for segment in (old, young):
        segment.write_bytes(segment.read_bytes() + b"?")

    retain(week, max_age_days=2, today=TODAY)

    assert week.set_aside() == [young.with_suffix(".bad")]
    assert noted_losses(week).unread == Unread(1, 1, 0)


def test_the_oldest_days_go_until_the_rest_fits(week):
    """A bound below one day's size leaves today alone."""
    retain(week, today=TODAY)
    sizes = [size(week.day(day)) for day in week.days()]

    retain(week, max_bytes=sum(sizes[-3:]), today=TODAY)
    some = days_ago(week)
    retain(week, max_bytes=0, today=TODAY)

    assert some == [2, 1, 0]
    assert days_ago(week) == [0]


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_without_a_bound_nothing_goes(week):
    """And a bound is not negative."""
    assert retain(week, today=TODAY).days == ()
    with pytest.raises(LogError, match="0 or more"):
        retain(week, max_age_days=-1)

    assert days_ago(week) == [6, 5, 4, 3, 2, 1, 0]

"""Days and other steps in every time zone: held against Python's own calendar."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest

from lectr_lab.analysis.views.select import period
from lectr_lab.analysis.views.time_steps import polars_zone, time_step, zone
from lectr_lab.core.errors import LabError

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, 18, tzinfo=UTC)
OFTEN = [FIRST + timedelta(hours=6 * n) for n in range(4 * 1461)]
LENGTHS = {"m": timedelta(minutes=1), "h": timedelta(hours=1)}
STEPS = ["1m", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "2d", "1w", "1mo", "1q"]
NO_PLACE = {"localtime"}  # this machine's own, which is no zone of the database
ODD = [
    "America/Havana",  # its midnight comes twice
    "Atlantic/Azores",
    "Asia/Beirut",  # its midnight is missing
    "America/Santiago",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour
    "Antarctica/Troll",  # two hours
    "Asia/Almaty",  # moved in 2024
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Factory",
]


def changes(tz: str) -> list[datetime]:
    """The moments from which another offset holds, by Python's own database."""
    rules, found = ZoneInfo(tz), []
    at = FIRST
    while at < LAST:
        then = at + timedelta(days=7)
        low, high = at, then
        if low.astimezone(rules).utcoffset() != high.astimezone(rules).utcoffset():
            while high - low > timedelta(minutes=15):
                middle = low + (high - low) / 2
                same = middle.astimezone(rules).utcoffset()
                if same == at.astimezone(rules).utcoffset():
                    low = middle
                else:
                    high = middle
            minutes = -(-(low - FIRST) // timedelta(minutes=15)) * 15
            found.append(FIRST + timedelta(minutes=minutes))
        at = then
    return found


def around_changes(tz: str) -> list[datetime]:
    """Every quarter of an hour around a change of the clocks."""
    return [
        change + timedelta(minutes=15 * n) + timedelta(microseconds=us)
        for change in changes(tz)
        for n in range(-16, 17)
        for us in (-1, 0)
    ]


@pytest.fixture(scope="module")
def four_years() -> pl.Series:
    """`OFTEN` as polars has it: to make it takes longer than to look at it."""
    return pl.Series("at", OFTEN)


def held(tz: str, steps: list[str], four_years: pl.Series) -> None:
    more, rules = around_changes(tz), ZoneInfo(tz)
    at = [*OFTEN, *more]
    all_of_them = pl.concat([four_years, pl.Series(more, dtype=four_years.dtype)])
    when = pl.LazyFrame({"at": all_of_them}).select(
        "at", *(time_step(pl.col("at"), every, tz).alias(every) for every in steps)
    )
    found = when.collect()

    days = Counter(moment.astimezone(rules).date() for moment in at)
    by_day = found.group_by(pl.col("1d").alias("start")).len()
    assert dict(zip(by_day["start"].dt.date(), by_day["len"], strict=True)) == days
    assert by_day.height == len(days)
    for every in steps:
        starts = found[every].dt.convert_time_zone("UTC")
        assert starts.null_count() == 0
        assert (starts <= found["at"]).all()
        if every[-1] in "mh":
            most = LENGTHS[every[-1]] * int(every[:-1]) + timedelta(hours=2)
            assert (found["at"] - starts < most).all()
        else:  # what begins later begins a later step
            in_order = found.sort("at")[every].dt.convert_time_zone("UTC")
            assert in_order.is_sorted()


@pytest.mark.parametrize("tz", ODD)
def test_a_day_is_what_the_calendar_says(tz, four_years):
    """Each once, with all of its moments; and every step begins before what is in it."""
    held(tz, STEPS, four_years)


@pytest.mark.slow
@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
def test_days_are_days_in_every_zone(letter, four_years):
    """All of the database, over the years 2024 to 2027."""
    for tz in sorted(available_timezones() - NO_PLACE):
        if tz.startswith(letter):
            held(tz, ["6h", "1d", "1w"], four_years)


@pytest.mark.parametrize("tz", ODD)
def test_a_day_that_is_asked_for_is_the_day_that_is_shown(tz):
    """The same moments lie between its ends as are counted in it."""
    rules = ZoneInfo(tz)
    for change in changes(tz) or [FIRST + timedelta(days=60)]:
        day = change.astimezone(rules).date()
        for one in (day - timedelta(days=1), day, day + timedelta(days=1)):
            asked = period(f"{one}..{one}", now=LAST, tz=tz)
            for n in range(-200, 200):
                at = change + timedelta(minutes=15 * n)
                within = asked.first <= at < asked.end
                assert within == (at.astimezone(rules).date() == one)


def test_an_hour_twice_is_two_hours_and_one_day():
    """In Havana, where they are the first of a day."""
    at = pl.Series([datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5)])

    def starts(every: str) -> int:
        return pl.select(time_step(pl.lit(at), every, "America/Havana")).n_unique()

    assert (starts("1h"), starts("1d"), starts("2d"), starts("1w")) == (2, 1, 1, 1)


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "localtime\0", "../etc/passwd"])
def test_a_zone_that_is_none_is_said(tz):
    """Before anything is read."""
    for ask in (polars_zone, zone, lambda tz: time_step(pl.col("at"), "1d", tz)):
        with pytest.raises(LabError, match="Europe/Berlin"):
            ask(tz)


@pytest.mark.parametrize("every", ["", "day", "1 d", "-1d", "0h", "1d,", "1i", "h"])
def test_a_step_that_is_none_is_said(every):
    """With what to write."""
    with pytest.raises(LabError, match="15m, 1h, 1d"):
        time_step(pl.col("at"), every, "UTC")


def test_the_years_are_those_of_the_promise():
    """And there are zones to hold it in."""
    assert (FIRST.date(), LAST.date()) == (date(2024, 1, 1), date(2027, 12, 31))
    assert len(available_timezones()) > 500

"""Rows that are there twice: counted in the later part, and only there taken out."""

from datetime import date

import polars as pl

from lectr_lab.log.schema import file_metadata, frame
from lectr_lab.log.upkeep.duplicates import add_new, doubles, not_there, without_doubles

DAY = date(2026, 11, 24)


def test_the_first_of_two_counts_and_stays(lab, make_events):
    """Across parts and within one."""
    events = make_events(6)
    lab.day(DAY).mkdir()
    first, second = (lab.day(DAY) / f"{n:032x}.parquet" for n in (1, 2))
    frame(events[:4]).write_parquet(first, metadata=file_metadata())
    twice = events[2:] + events[5:]
    frame(twice).write_parquet(second, metadata=file_metadata())

    found = doubles([first, second])
    without_doubles(lab, second)

    assert found == {second: 3}
    assert doubles([first, second]) == {}
    assert pl.read_parquet(first).height == 4
    assert sorted(pl.read_parquet(second)["input_tokens"]) == [4, 5]


def test_only_what_is_not_there_is_added(lab, make_events):
    """As a part of its own, and once, however often it is asked for."""
    events = make_events(6)
    lab.day(DAY).mkdir()
    first = lab.day(DAY) / f"{1:032x}.parquet"
    frame(events[:4]).write_parquet(first, metadata=file_metadata())

    missing = not_there(lab, DAY, frame(events))
    added = [add_new(lab, DAY, frame(events)) for _ in range(2)]

    assert missing["input_tokens"].to_list() == [4, 5]
    assert added == [2, 0]
    assert doubles(sorted(lab.day(DAY).glob("*.parquet"))) == {}

"""The protocol of a prefix: nothing lost, nothing doubled, whatever dies."""

from datetime import date, timedelta

import pytest
from shipping_histories import NOW, History, MemoryStore, merge_ids, rows

from lectr_lab.shipping.protocol import (
    MOST_BYTES,
    Object,
    close_day,
    counted,
    latest,
    roll_up,
    sweep,
)

DAY = date(2026, 11, 27)
FIRST, SECOND, LATE = (f"fresh/date={DAY}/{n:032x}-0000.parquet" for n in range(3))


@pytest.mark.parametrize("tens", range(5))
def test_whatever_dies_no_row_is_lost_or_doubled(tens):
    """300 random histories of shippers, compactors, sweepers and readers."""
    for seed in range(tens * 60, tens * 60 + 60):
        assert History(seed).run() > 50


@pytest.mark.parametrize("mutant", ["days first", "put overwrites", "forgets"])
def test_each_rule_is_needed(mutant):
    """Histories find it where one is broken."""
    with pytest.raises(AssertionError, match=r"lost|doubled|twice"):
        for seed in range(200):
            History(seed, mutant).run()


def test_a_merged_name_counts_no_more():
    """Nor when it is put again after it was swept."""
    store = MemoryStore()
    store.put_new(FIRST, b'["a"]')
    store.put_new(SECOND, b'["b"]')

    assert close_day(store, DAY, merge_ids) == 2
    assert sweep(store, DAY, NOW, timedelta(0)) == 2
    store.put_new(FIRST, b'["a"]')

    assert sorted(rows(store)) == ["a", "b"]
    assert close_day(store, DAY, merge_ids) == 0


def test_what_comes_late_is_a_next_generation():
    """What was merged before stays as it is."""
    store = MemoryStore()
    store.put_new(FIRST, b'["a"]')
    close_day(store, DAY, merge_ids)
    before = dict(store.objects)
    store.put_new(LATE, b'["z"]')
    close_day(store, DAY, merge_ids)

    number, said, _ = latest(store, DAY)
    assert number == 2 and len(said.files) == 2 and len(said.merged) == 2
    assert sorted(rows(store)) == ["a", "z"]
    assert before.items() <= store.objects.items()


def test_sweeping_waits_for_readers():
    """Not before an hour has passed."""
    store = MemoryStore()
    store.put_new(FIRST, b'["a"]')
    close_day(store, DAY, merge_ids)

    assert sweep(store, DAY, NOW + timedelta(minutes=59)) == 0
    assert sweep(store, DAY, NOW + timedelta(minutes=60)) == 1


def test_only_the_days_that_are_asked_for_are_read():
    """By their names; nothing of another day is opened."""
    store = MemoryStore()
    for day in range(1, 10):
        store.put_new(f"fresh/date=2026-11-0{day}/{'0' * 32}-0000.parquet", b"[]")
        close_day(store, date(2026, 11, day), merge_ids)
    asked = []
    store.get = lambda path, get=store.get: asked.append(path) or get(path)

    found = counted(store, date(2026, 11, 3), date(2026, 11, 4))

    assert [one.day.day for one in found] == [3, 4]
    assert [path.split("/")[1] for path in asked] == [
        "date=2026-11-03",
        "date=2026-11-04",
    ]


def test_no_object_is_larger_than_one_request_takes():
    """Much that is fresh becomes several log objects."""
    store = MemoryStore()
    for number in range(5):
        store.put_new(f"fresh/date={DAY}/{number:032x}-0000.parquet", b'["x"]')
    listed = store.listed
    store.listed = lambda prefix, after="": (
        Object(o.path, MOST_BYTES // 2, o.modified) for o in listed(prefix, after)
    )

    assert close_day(store, DAY, merge_ids) == 5
    assert len(latest(store, DAY)[1].files) == 3


def test_a_month_that_has_ended_is_one_request():
    """Until something late comes; what counts is the same with it and without."""
    store, path = MemoryStore(), "fresh/date=2026-11-{:02}/{:032x}-0000.parquet"
    for day in range(1, 31):
        store.put_new(path.format(day, day), b'["%d"]' % day)
        close_day(store, date(2026, 11, day), merge_ids)
        sweep(store, date(2026, 11, day), NOW, timedelta(0))
    before, asked = counted(store), []
    get = store.get
    store.get = lambda path: asked.append(path) or get(path)
    assert roll_up(store, date(2026, 11, 30)) == 0
    assert roll_up(store, date(2026, 12, 1)) == 1
    assert roll_up(store, date(2026, 12, 1)) == 0

    asked.clear()
    assert counted(store) == before
    assert [path.split("/")[0] for path in asked] == ["months"]

    store.put_new(path.format(9, 99), b'["late"]')
    asked.clear()
    assert len(counted(store)) == 31
    assert [path.split("/")[0] for path in asked] == ["months", "days"]
    close_day(store, date(2026, 11, 9), merge_ids)
    assert len(rows(store)) == 31
    assert roll_up(store, date(2026, 12, 1)) == 1
    assert len(rows(store)) == 31

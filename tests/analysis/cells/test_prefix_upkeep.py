"""Counting what is merged in a prefix."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import polars as pl
import pytest
from cell_logs import event

from lectr_lab.analysis.cells.prefix_sets import unpacked
from lectr_lab.analysis.cells.prefix_upkeep import count_prefix, sweep_sets
from lectr_lab.log.schema import frame
from lectr_lab.shipping.files import packed
from lectr_lab.shipping.places import place
from lectr_lab.shipping.ship import compact
from lectr_lab.shipping.stores import RemoteStore, opened

DAYS = [date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1)]
TODAY = date(2026, 11, 2)


@pytest.fixture
def store(tmp_path) -> RemoteStore:
    """Three days that were merged."""
    made = opened(place(f"file://{tmp_path}/store", {}))
    for day in DAYS:
        put(made, day)
    compact(made, TODAY)
    return made


def put(store: RemoteStore, day: date) -> None:
    rng = Random(str(day))
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    rows = frame([event(rng, [at], ["chat", None]) for _ in range(20)])
    store.put_new(
        f"fresh/date={day}/{rng.randbytes(16).hex()}-0000.parquet", packed(rows)
    )


def sets(store: RemoteStore) -> list[str]:
    return [one.path for one in store.listed("cells/")]


def test_each_object_is_counted_once_and_months_are_added_up(store):
    """The one that runs too, as its days end."""
    assert count_prefix(store, today=TODAY) == 5
    assert count_prefix(store, today=TODAY) == 0
    assert [path.split("/")[1:3] for path in sets(store)] == [
        *(["days", f"date={day}"] for day in DAYS),
        ["months", "2026-10"],
        ["months", "2026-11"],
    ]
    put(store, TODAY)
    compact(store, TODAY + timedelta(days=1))
    assert count_prefix(store, today=TODAY) == 1
    assert count_prefix(store, today=TODAY + timedelta(days=1)) == 1


def test_some_at_a_time(store):
    """Until there is no more."""
    assert [count_prefix(store, today=TODAY, most=2) for _ in range(3)] == [2, 3, 0]


def test_two_who_count_make_the_same(store, tmp_path):
    """What was put first stays; a set that is torn is put anew once it is swept."""
    count_prefix(store, today=TODAY)
    month = sets(store)[3]
    data = store.get(month)
    store.delete(month)
    count_prefix(store, today=TODAY)
    one, other = unpacked(month, data), unpacked(month, store.get(month))

    assert one and other
    for kind, rows in one.items():
        names = pl.read_parquet(rows).columns
        again = pl.read_parquet(other[kind]).sort(names, nulls_last=True)
        assert pl.read_parquet(rows).sort(names, nulls_last=True).equals(again)


def test_a_month_waits_for_all_its_days(store, tmp_path):
    """A torn set of a day adds up to nothing, and is counted by the next who comes."""
    count_prefix(store, today=TODAY)
    first, month = sets(store)[0], sets(store)[3]
    store.delete(month)
    (tmp_path / "store" / first).write_bytes(b"torn")

    assert [count_prefix(store, today=TODAY) for _ in range(3)] == [0, 2, 0]


def test_an_object_that_is_no_log_costs_no_other(store, tmp_path):
    """It is left to those who read rows."""
    [path] = (tmp_path / "store" / "log" / f"date={DAYS[0]}").iterdir()
    path.write_bytes(b"not ours")

    assert count_prefix(store, today=TODAY) == 3


def test_what_stands_for_nothing_is_swept_later(store):
    """Of the month that runs, what it said before a day more; by no one before a week."""
    count_prefix(store, today=TODAY)
    before = sets(store)
    put(store, TODAY)
    tomorrow = TODAY + timedelta(days=1)
    compact(store, tomorrow)
    count_prefix(store, today=tomorrow)
    now = datetime.now(UTC)
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)

    assert sweep_sets(store, noon) == 0
    assert sweep_sets(store, now, linger=timedelta(0)) == 1
    assert set(before) - set(sets(store)) == {before[4]}

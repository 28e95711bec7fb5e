"""Reading a prefix: the same rows as in the labs that were shipped to it."""

import pickle
import time
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from shipped_lab import add_part, events

import lectr_lab as lectr
from lectr_lab.analysis.cells.prefix_upkeep import count_prefix
from lectr_lab.core.errors import ConfigError, StoreError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.log.schema import frame
from lectr_lab.log.upkeep.compact import compact as compact_lab
from lectr_lab.shipping.places import place
from lectr_lab.shipping.remote import is_url, listed, scan_remote
from lectr_lab.shipping.ship import begin, compact, ship, sweep_all
from lectr_lab.shipping.stores import opened

DAYS = [date(2026, 11, 24) + timedelta(days=n) for n in range(4)]


@pytest.fixture(params=["s3", "file"])
def where(request, s3, folder_url):
    """A place, and the environment that opens it."""
    if request.param == "file":
        return folder_url, {}
    return f"s3://lab/remote-{time.time_ns()}", s3


def two_labs(tmp_path) -> list[LabFolder]:
    labs = [LabFolder.create(tmp_path / name) for name in ("one", "two")]
    for number, lab in enumerate(labs):
        for day in range(4):
            for half in (0, 1):
                add_part(lab, events(number * 1000 + half * 100, 40, day))
    return labs


def test_a_prefix_has_the_rows_of_its_labs(tmp_path, where):
    """Before and after it is compacted, swept and added to; and the labs compacted."""
    url, environ = where
    labs, store = two_labs(tmp_path), opened(place(url, environ))
    local = pl.concat(scan(lab.root).collect() for lab in labs)
    for lab in labs:
        begin(lab, url)
        ship(lab, store)

    def same():
        there = scan_remote(url, environ=environ).collect()
        assert_frame_equal(there, local, check_row_order=False)

    same()
    assert compact(store, DAYS[3]) == 6
    same()
    assert sweep_all(store, datetime.now(UTC), timedelta(0)) == 6
    same()
    for lab in labs:
        # Its ids of calls that ended well are dropped by it; these events have none.
        compact_lab(lab, today=DAYS[3])
        ship(lab, store)
    same()
    add_part(labs[0], events(5000, 5))
    ship(labs[0], store)
    local = pl.concat([local, frame(events(5000, 5))])
    same()
    compact(store, DAYS[3])
    same()


def test_days_are_chosen_by_their_names(tmp_path, where):
    """Nothing of another day is among the files."""
    url, environ = where
    labs, store = two_labs(tmp_path), opened(place(url, environ))
    for lab in labs:
        begin(lab, url)
        ship(lab, store)
    compact(store, DAYS[2])

    log = listed(url, DAYS[1], DAYS[2], environ=environ)
    assert [one.day for one in log.files] == [DAYS[1], DAYS[2], DAYS[2]]
    assert [one.merged for one in log.files] == [True, False, False]
    assert [len(one.name) for one in log.files] == [32, 37, 37]
    days = scan_remote(url, DAYS[1], DAYS[2], environ=environ)
    assert set(days.collect()["started_at"].dt.date()) == {DAYS[1], DAYS[2]}
    assert days.select(pl.len()).collect().item() == 2 * 2 * 80


def test_an_empty_prefix_is_an_empty_log(where):
    """With every column."""
    url, environ = where

    assert_frame_equal(scan_remote(url, environ=environ).collect(), frame([]))


def test_what_opens_it_is_not_shown(s3):
    """A notebook's output has no key."""
    log = listed("s3://lab/nothing", environ=s3 | {"AWS_SECRET_ACCESS_KEY": "hush"})

    assert "hush" not in repr(log)
    assert log.storage_options["aws_secret_access_key"] == "hush"


def test_what_is_wrong_is_said_before_anything_is_read(s3):
    """As a store's error, not one of the engine."""
    with pytest.raises(StoreError, match="no such bucket"):
        scan_remote("s3://nobodys/p", environ=s3)
    with pytest.raises(ConfigError, match="no credentials"):
        scan_remote("s3://lab/p", environ={})


def test_folders_are_no_urls(tmp_path):
    """Nor what only looks a little like one."""
    assert not is_url(tmp_path) and not is_url("s3:/x") and not is_url("data/s3://x")
    assert is_url("gs://bucket") and is_url("file:///x")


def test_a_prefix_is_scanned_as_a_lab_is(tmp_path, s3, monkeypatch):
    """By the same views, with the same figures; a time reads its days alone."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    url, lab = f"s3://lab/scan-{time.time_ns()}", LabFolder.create(tmp_path / "lab")
    for day in range(4):
        add_part(lab, events(day * 100, 50, day))
    begin(lab, url)
    ship(lab, opened(place(url, s3)))
    there, here = lectr.scan(url), lectr.scan(lab.root)

    for log in (there, url):
        assert_frame_equal(
            lectr.spend(log, by="feature", every="1d").collect(),
            lectr.spend(here, by="feature", every="1d").collect(),
        )
    assert not lectr.odd(url).found
    part = there.select(since="2026-11-25..2026-11-26")
    assert_frame_equal(
        lectr.spend(part, by="model").collect(),
        lectr.spend(here.select(since="2026-11-25..2026-11-26"), by="model").collect(),
    )
    assert part.explain().count("date=2026-11-25") > 0
    assert "date=2026-11-24" not in part.explain() + part.select(feature="x").explain()
    counts = there.map(lambda day: day.select(pl.len()).collect().item())
    assert counts == [50] * 4
    assert url in repr(there)
    again = pickle.loads(pickle.dumps(there))
    assert again.select(pl.len()).collect().item() == 200
    compact(opened(place(url, s3)), date(2026, 12, 24))
    count_prefix(opened(place(url, s3)), today=date(2026, 12, 24))
    counted = lectr.scan(url)
    assert counted.explain(lectr.spend, by="feature") == "1 month in cells; 0 rows."
    assert_frame_equal(
        lectr.spend(counted, by="feature").collect(),
        lectr.spend(here, by="feature").collect(),
    )
    one = lectr.scan(url, day=DAYS[2])
    assert one.map(lambda day: day.select(pl.len()).collect().item()) == [50]

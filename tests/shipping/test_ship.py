"""Shipping a lab."""

import json
import socket
from datetime import date

import pytest
from shipped_lab import KEYS, add_part, events

from lectr_lab.config.ship_settings import ShipSettings
from lectr_lab.core.errors import ConfigError, StoreError
from lectr_lab.log.journal import JournalWriter
from lectr_lab.shipping import outbox
from lectr_lab.shipping.outbox import pending, waiting
from lectr_lab.shipping.places import place
from lectr_lab.shipping.protocol import counted
from lectr_lab.shipping.remote import scan_remote
from lectr_lab.shipping.ship import begin, compact, keep_shipping, put, ship
from lectr_lab.shipping.stores import opened

DAY = date(2026, 11, 24)
ASKED = ShipSettings(to="file:///store")


def rows(url: str) -> list[int]:
    return sorted(scan_remote(url).collect()["input_tokens"])


def test_what_is_sealed_is_put_once(lab, store, folder_url):
    """Several parts as one object; nothing is left waiting, and nothing put again."""
    add_part(lab, events(0, 10))
    add_part(lab, events(10, 10))

    done = ship(lab, store)

    assert (done.rows, done.objects, done.problems) == (20, 1, ())
    assert ship(lab, store)[:3] == (0, 0, 0)
    assert rows(folder_url) == list(range(20))
    assert list(waiting(lab)) == []


def test_what_a_dead_writer_left_is_shipped(lab, store, folder_url):
    """It is sealed first."""
    writer = JournalWriter(lab)
    writer.append(events(0, 3))
    writer.close()

    assert ship(lab, store).rows == 3
    assert rows(folder_url) == [0, 1, 2]


def test_what_was_put_and_not_noted_is_put_again_to_no_effect(lab, store, folder_url):
    """As after a kill between the two, or a lost reply."""
    add_part(lab, events(0, 10))
    ship(lab, store)
    [one] = counted(store)
    data = store.get(one.path)
    file = lab.state / "shipping" / f"{DAY}.{one.path.rpartition('/')[2]}"
    file.write_bytes(data)

    assert put(lab, store)[0] == 1
    assert rows(folder_url) == list(range(10))
    assert not file.exists()


def test_while_the_store_is_away_rows_wait(lab, store, folder_url):
    """They are put when it is back."""
    add_part(lab, events(0, 10))
    with socket.socket() as taken_port:  # bound, and nobody listens
        taken_port.bind(("127.0.0.1", 0))
        at = f"http://127.0.0.1:{taken_port.getsockname()[1]}"
        away = place("s3://lab/p", KEYS | {"AWS_ENDPOINT_URL": at})
        with pytest.raises(StoreError):
            ship(lab, opened(away, patient=False))

        assert not list(waiting(lab))
        add_part(lab, events(10, 10))
        with pytest.raises(StoreError):
            ship(lab, opened(away, patient=False))

    assert [len(some) for some in pending(lab).values()] == [2]
    ship(lab, store)
    assert rows(folder_url) == list(range(20))


def test_a_long_log_is_shipped_little_by_little(lab, store, folder_url, monkeypatch):
    """What waits here is never much."""
    monkeypatch.setattr(outbox, "MOST_STAGED_ROWS", 25)
    monkeypatch.setattr(outbox, "_MOST_ROWS", 10)
    for first in range(0, 70, 10):
        add_part(lab, events(first, 10))
    most = []
    put_new = store.put_new
    monkeypatch.setattr(
        store,
        "put_new",
        lambda *a: most.append(len(list(waiting(lab)))) or put_new(*a),
    )

    assert ship(lab, store)[:2] == (70, 7)
    assert max(most) == 3
    assert rows(folder_url) == list(range(70))


def test_a_lab_has_one_place(lab, folder_url):
    """Rows in two would count twice where both are read."""
    begin(lab, folder_url)
    with pytest.raises(ConfigError, match="A lab has one place"):
        begin(lab, "s3://another/place")


def test_days_that_have_ended_are_merged(lab, store, folder_url):
    """An open one is not, while it is small."""
    for day in (0, 1):
        for first in (0, 10):
            add_part(lab, events(first, 10, day))
            ship(lab, store)

    assert compact(store, date(2026, 11, 25)) == 2
    assert compact(store, date(2026, 11, 25)) == 0
    assert len(counted(store)) == 3
    assert len(rows(folder_url)) == 40


def test_a_day_that_cannot_be_merged_costs_no_other(lab, store):
    """It is said; the object stays as it is."""
    for day in (0, 1):
        add_part(lab, events(0, 10, day))
    ship(lab, store)
    store.put_new(f"fresh/date={DAY}/{'f' * 32}-0000.parquet", b"not ours")

    with pytest.raises(StoreError, match="2026-11-24: A fresh object"):
        compact(store, date(2026, 12, 1))
    assert [one.path.split("/")[0] for one in counted(store)] == ["fresh"] * 2 + ["log"]


def test_it_ships_when_it_is_time_or_when_there_are_many(lab, store):
    """Not at every look."""
    looks = iter(range(4))
    seen = []

    def wait(_seconds):
        look = next(looks, None)
        seen.append(len(counted(store)))
        add_part(lab, events(look * 1000 if look else 0, 10 if look != 2 else 1_000))
        return look is None or look == 3

    keep_shipping(lab, store, ASKED, wait, print)

    assert seen == [0, 0, 0, 1]


def test_at_the_end_it_ships_once_more(lab, store, folder_url):
    """What was sealed as the proxy ended; a machine may go with it."""

    def wait(_seconds):
        add_part(lab, events(0, 10))
        return True

    keep_shipping(lab, store, ASKED, wait, print)

    assert rows(folder_url) == list(range(10))


def test_a_fault_is_said_once_while_it_stays(lab):
    """And it goes on."""
    with socket.socket() as taken_port:
        taken_port.bind(("127.0.0.1", 0))
        at = f"http://127.0.0.1:{taken_port.getsockname()[1]}"
        away = opened(
            place("s3://lab/p", KEYS | {"AWS_ENDPOINT_URL": at}), patient=False
        )
        add_part(lab, events(0, 10))
        turns, said = iter([False, False, True]), []
        keep_shipping(lab, away, ASKED, lambda _: next(turns), said.append)

    assert len(said) == 1
    assert "cannot be reached" in said[0] and said[0].endswith("It tries again.")


def test_no_key_and_no_content_is_in_any_object(lab, store, folder_url, tmp_path):
    """Names and counts, as in the log; and of a generation, names alone."""
    add_part(lab, events(0, 10))
    ship(lab, store)
    compact(store, date(2026, 12, 1))
    files = [p for p in (tmp_path / "store").rglob("*") if p.is_file()]
    data = b"".join(path.read_bytes() for path in files)

    assert len(files) == 5
    assert b"lc_key_" not in data and b"sk-" not in data
    [day] = (tmp_path / "store" / "days").rglob("*.json")
    [month] = (tmp_path / "store" / "months").rglob("*.json")
    assert json.loads(day.read_bytes()).keys() == {"files", "merged"}
    assert json.loads(month.read_bytes()).keys() == {"days"}

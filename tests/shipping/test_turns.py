"""A lab that has forgotten what it shipped doubles nothing."""

import shutil
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipped_lab import add_part, events

from lectr_lab.core.errors import StoreError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.upkeep.compact import compact as compact_lab
from lectr_lab.shipping.places import place
from lectr_lab.shipping.remote import scan_remote
from lectr_lab.shipping.ship import begin, compact, ship
from lectr_lab.shipping.stores import opened
from lectr_lab.shipping.turns import begin_turn, end_turn, sweep_turns

DAY = date(2026, 11, 24)


def rows(url: str) -> list[int]:
    return sorted(scan_remote(url).collect()["input_tokens"])


ACTS = st.lists(
    st.sampled_from(["add", "ship", "backup", "restore", "delete", "merge", "close"]),
    min_size=3,
    max_size=14,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
def test_whatever_is_restored_each_row_is_there_once(acts, tmp_path_factory):
    """Its state from a backup, or none of it; parts merged here, and objects there."""
    root = tmp_path_factory.mktemp("turns")
    url, lab = f"file://{root}/store", LabFolder.create(root / "lab")
    store, saved, n = opened(place(url, {})), root / "saved", 0
    begin(lab, url)
    state = lab.state / "shipping"
    for act in acts:
        if act == "add":
            add_part(lab, events(n, 3))
            n += 3
        elif act == "ship":
            ship(lab, store)
        elif act == "backup":
            shutil.rmtree(saved, ignore_errors=True)
            shutil.copytree(state, saved)
        elif act == "restore" and saved.exists():
            shutil.rmtree(state)
            shutil.copytree(saved, state)
        elif act == "delete":
            shutil.rmtree(state)
            begin(lab, url)
        elif act == "merge":
            compact_lab(lab, today=date(2026, 12, 24))
        elif act == "close":
            compact(store, date(2026, 12, 24))
    ship(lab, store)

    assert rows(url) == list(range(n))


def test_a_copied_lab_adds_what_is_new_alone(lab, store, folder_url, tmp_path):
    """Both go on by themselves."""
    add_part(lab, events(0, 5))
    shutil.copytree(lab.root, tmp_path / "copy")
    copy = LabFolder(tmp_path / "copy")
    ship(lab, store)
    add_part(copy, events(5, 5))
    ship(copy, store)
    add_part(lab, events(10, 5))
    ship(lab, store)

    assert rows(folder_url) == list(range(15))


def test_a_turn_that_is_not_ended_is_forgotten(lab, store):
    """As after a kill: the next one looks rows up; the one after that does not."""
    first = begin_turn(lab, store)
    second = begin_turn(lab, store)
    end_turn(lab, second)
    third = begin_turn(lab, store)

    assert [first, second, third] == [(1, False), (2, True), (3, False)]


def test_of_each_lab_the_last_turn_is_kept(lab, store, tmp_path):
    """And that is all that is asked for."""
    other = LabFolder.create(tmp_path / "other")
    begin(other, "file:///elsewhere")
    for _ in range(3):
        end_turn(lab, begin_turn(lab, store))
    begin_turn(other, store)

    assert sweep_turns(store) == 2
    assert sorted(one.name for one in store.listed("labs/")) == [f"{1:010}", f"{3:010}"]
    assert begin_turn(lab, store) == (4, False)


def test_what_cannot_be_read_there_is_said(lab, store):
    """Nothing is shipped twice for it, and nothing forgotten."""
    store.put_new(f"fresh/date={DAY}/{'a' * 32}-0000.parquet", b"not ours")
    begin_turn(lab, store)
    add_part(lab, events(0, 5))

    with pytest.raises(StoreError, match="no file of a log"):
        ship(lab, store)

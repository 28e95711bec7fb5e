"""Counting what was merged, beside a proxy."""

from datetime import date

import pytest
from shipped_lab import add_part, events

from lectr_lab.cli import ship_counts
from lectr_lab.cli.ship_counts import count_some
from lectr_lab.log.folder import LabFolder
from lectr_lab.shipping.places import place
from lectr_lab.shipping.ship import begin, compact, ship
from lectr_lab.shipping.stores import opened


@pytest.fixture
def store(tmp_path):
    """Three days that were merged."""
    url, lab = f"file://{tmp_path}/store", LabFolder.create(tmp_path / "lab")
    begin(lab, url)
    for day in range(3):
        add_part(lab, events(0, 5, day))
    there = opened(place(url, {}))
    ship(lab, there)
    compact(there, date(2026, 12, 24))
    return there


def test_some_are_counted_at_a_time(store, monkeypatch):
    """So that rows are shipped in between; it says whether there is more."""
    monkeypatch.setattr(ship_counts, "_AT_A_TIME", 2)

    assert [count_some(store) for _ in range(3)] == [True, True, False]
    assert len(list(store.listed("cells/days/"))) == 3
    assert len(list(store.listed("cells/months/"))) == 1

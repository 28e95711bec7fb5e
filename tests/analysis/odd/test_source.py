"""Where the cells come from."""

from datetime import UTC, datetime

from polars.testing import assert_frame_equal

import lectr_lab as lectr
from lectr_lab.resources import shipped_traffic


def test_a_folder_of_parts_gives_what_its_log_gives():
    """The shipped traffic, by name and as a frame."""
    named = lectr.odd(shipped_traffic())

    assert_frame_equal(named.incidents, lectr.odd(lectr.demo_log()).incidents)


def test_without_a_log_it_is_the_own_one(tmp_path, monkeypatch):
    """And made-up traffic where that has no request yet."""
    monkeypatch.setenv("LECTR_LAB", str(tmp_path / "lab"))
    monkeypatch.chdir(tmp_path)

    assert_frame_equal(lectr.odd().incidents, lectr.odd(lectr.demo_log()).incidents)


def test_what_comes_after_now_is_not_looked_at(made_up):
    """A record can be cut anywhere."""
    log = made_up(days=3)
    now = datetime(2026, 10, 6, 12, tzinfo=UTC)

    found = lectr.odd(log, now=now)

    assert found.looked.cells["at"].max() < now

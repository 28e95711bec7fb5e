"""Files of what was counted are whole, or none."""

import os
from random import Random

import pytest
from cell_logs import DAYS, event

from lectr_lab.analysis.cells.set_files import has_few, keep, listed, remove_old
from lectr_lab.analysis.cells.sets import KINDS, counted
from lectr_lab.log.schema import frame

NAME = f"a.{'0' * 24}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cells" / "facts" / "2026-10-01"


@pytest.fixture
def kept(folder):
    """What was counted of some requests, written."""
    some = [event(Random(n), DAYS, ["chat"]) for n in range(9)]
    return keep(folder, NAME, counted(frame(some).lazy()))


def test_a_set_is_found_by_its_name(folder, kept):
    """All kinds of it; of no other kind."""
    assert listed(folder) == {NAME: kept}
    assert [*kept] == [*KINDS] and not has_few(kept)
    assert listed(folder, [*KINDS, "eras"]) == {}


def test_a_file_of_other_bytes_is_none(folder, kept):
    """Nor is then the set."""
    kept["rest"].write_bytes(kept["rest"].read_bytes()[:-1])

    assert listed(folder) == {}


def test_where_nothing_can_be_written_nothing_is_kept(folder, kept):
    """A file lies in the place of the folder."""
    found = counted(frame([]).lazy())

    assert keep(kept["sums"] / "facts" / "x", NAME, found) is None


def test_old_files_go_and_others_stay(kept):
    """Whoever opened a log before may still read them."""
    os.utime(kept["sums"], (0, 0))

    remove_old(kept.values())

    assert [kind for kind, path in kept.items() if not path.exists()] == ["sums"]

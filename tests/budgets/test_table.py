"""The file of sums: what is written is found, and what is over makes room."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.table import FEW_CELLS, MANY_CELLS, Cell, Table
from lectr_lab.budgets.windows import RUN, RUN_KEPT_S, Window

DAY = Window(0.0, 86_400.0)
NOON_S = 43_200.0
keys = st.lists(st.binary(min_size=16, max_size=16).filter(any), unique=True)


def test_a_sum_is_found_by_every_process(tmp_path):
    """Where another one wrote it."""
    one, other = (Table(tmp_path / "t", FEW_CELLS) for _ in range(2))
    at, cell = one.place(b"k" * 16, DAY, NOON_S)
    one.write(at, cell._replace(spent=7, refused_told=8 * 3 + 2))

    assert (one.created, other.created) == (True, False)
    found = other.find(b"k" * 16)
    assert found is not None
    assert (found[1].spent, found[1].refused, found[1].told) == (7, 3, 2)
    assert other.find(b"x" * 16) is None
    assert [cell.spent for _, cell in other.all_cells()] == [7]


@given(keys=keys)
def test_any_keys_are_told_apart(tmp_path_factory, keys):
    """Up to as many as there is room for."""
    table = Table(tmp_path_factory.mktemp("t") / "t", 64)
    for nth, key in enumerate(keys[:64]):
        at, cell = table.place(key, DAY, NOON_S)
        table.write(at, cell._replace(spent=nth))

    assert [table.find(key)[1].spent for key in keys[:64]] == list(
        range(len(keys[:64]))
    )
    table.close()


def test_a_window_that_is_over_makes_room(tmp_path):
    """An hour after its end; where something was never settled, a day."""
    table = Table(tmp_path / "t", 1)
    _, cell = table.place(b"a" * 16, DAY, NOON_S)
    later_s = DAY.end_s + 3_601
    table.place(b"b" * 16, Window(DAY.end_s, 2 * DAY.end_s), later_s)

    assert table.find(b"a" * 16) is None
    assert table.forgotten == 0
    assert not cell._replace(reserved=1).over(later_s)
    assert cell._replace(reserved=1).over(DAY.end_s + 86_401)
    run = Cell(b"r" * 16, *RUN, NOON_S)
    assert not run.over(NOON_S + RUN_KEPT_S)
    assert run.over(NOON_S + RUN_KEPT_S + 1)


def test_few_sums_of_many_places_are_read_at_once(tmp_path):
    """Wherever they are."""
    table = Table(tmp_path / "t", MANY_CELLS)
    places = [0, 1, 63, 64, 700, MANY_CELLS - 1]
    for at in places:
        table.write(at, Cell(bytes([1]) * 16, *DAY, NOON_S, spent=at))

    assert [(at, cell.spent) for at, cell in table.all_cells()] == [
        (at, at) for at in places
    ]


def test_who_spent_least_makes_room_where_all_is_taken(tmp_path):
    """It is counted; what runs is never forgotten."""
    table = Table(tmp_path / "t", 2)
    for key, spent in ((b"a" * 16, 5), (b"b" * 16, 3)):
        at, cell = table.place(key, DAY, NOON_S)
        table.write(at, cell._replace(spent=spent))
    at, cell = table.place(b"c" * 16, DAY, NOON_S)
    table.write(at, cell._replace(reserved=1))

    assert table.find(b"a" * 16) is not None
    assert table.find(b"b" * 16) is None
    assert table.forgotten == 1
    at, cell = table.find(b"a" * 16)
    table.write(at, cell._replace(reserved=1))
    with pytest.raises(OSError, match="places are taken"):
        table.place(b"d" * 16, DAY, NOON_S)


@pytest.mark.parametrize("data", [b"", b"x" * 64, b"x" * 10_000])
def test_what_is_no_such_file_is_refused(tmp_path, data):
    """Before anything is read from it."""
    (tmp_path / "t").write_bytes(data)

    with pytest.raises(OSError, match="damaged"):
        Table(tmp_path / "t", FEW_CELLS)


def test_a_file_that_was_cut_short_or_changed_is_noticed(tmp_path):
    """An error, and no wrong number."""
    table = Table(tmp_path / "t", FEW_CELLS)
    assert table.intact
    os.truncate(tmp_path / "t", 100)

    assert not table.intact
    with pytest.raises(OSError, match="cut short"):
        table.place(b"k" * 16, DAY, NOON_S)
    (tmp_path / "t").unlink()
    assert not table.intact

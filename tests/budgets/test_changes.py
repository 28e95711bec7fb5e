"""A sum takes up what requests changed, and is never below nothing."""

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.budgets.changes import Change, Owed, changed
from lectr_lab.budgets.meters import Meter, Whose
from lectr_lab.budgets.table import MOST_PUSD, Cell
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash

METER = Meter(BudgetSettings(usd=1, per="run"), KeyedHash("a secret of sixteen"))
ONE = METER.sum_of(Whose("acme", session="s"), 0.0)


def test_a_sum_with_what_is_owed_to_it():
    """Dollars and counts alike, within what its place can hold."""
    one = ONE
    assert one is not None
    cell = Cell(one.key, 0.0, 1.0, 0.0, 5, 10, 0, 1, 0, 0, 3)

    paid = changed(cell, [Change(one, 7, -4, 0, 1, 0, 1), Change(one, 1, 0, 1)], 9.0)
    assert paid[3:] == (9.0, 13, 6, 1, 2, 0, 1, 3)
    assert changed(cell, [Change(one, -6, -11)], 9.0)[4:6] == (0, 0)
    assert changed(cell, [Change(one, MOST_PUSD)], 9.0).spent == MOST_PUSD


@given(st.lists(st.tuples(*[st.integers(-(2**40), 2**40)] * 6), max_size=20))
def test_what_is_owed_is_all_of_its_changes(changes):
    """Added as they come, they make the sum what it is with one after the other."""
    assert ONE is not None
    cell = Cell(ONE.key, 0.0, 1.0, 0.0, 2**50, 2**50, 2**50, 2**50, 2**50, 2**50, 3)
    owed = Owed(ONE)
    for change in changes:
        owed.add(*change)

    each = [Change(ONE, *change) for change in changes]
    assert changed(cell, [owed.together], 9.0) == changed(cell, each, 9.0)

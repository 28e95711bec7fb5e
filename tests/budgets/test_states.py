"""How budgets stand: of the present window, for whoever may read the folder."""

import pytest
from budgets.test_store import HASHES, NOON_S, killed, meter, opened

from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import PUSD_PER_USD, Meter, Whose
from lectr_lab.budgets.states import budget_states, release
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.log.folder import LabFolder

DAY_S = 86_400.0


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


def test_where_nothing_was_counted_all_is_left(lab):
    """And nothing is written to say so."""
    [state] = budget_states(lab, [meter(whom={"org": "acme"})], NOON_S)

    assert (state.whom, state.state, state.spent_usd) == ("org acme", "ok", 0)
    assert state.left_usd == state.usd
    assert (state.ends - state.begins).total_seconds() == DAY_S
    assert not (lab.state / "budgets").exists()


def test_a_state_says_what_is_spent_held_and_lost(lab):
    """And begins anew with its window."""
    budget = meter()
    one, other = opened(lab, budget), opened(lab, budget)
    found = [budget.sum_of(Whose("acme"), NOON_S)]
    one.settle([Change(found[0], 100, 0, 0, 3, 1, 1)])
    one.reserve(found, 50, certain=False)
    other.reserve(found, 20)
    killed(one)

    [state] = budget_states(lab, [budget], NOON_S)

    told = (state.spent_usd, state.held_usd, state.lost_usd, state.left_usd)
    assert [round(usd * PUSD_PER_USD) for usd in told] == [100, 20, 50, 830]
    assert (state.requests, state.unpriced, state.estimated) == (3, 1, 1)
    assert (state.bounded, state.refused, state.read_log) == (False, 0, False)
    [tomorrow] = budget_states(lab, [budget], NOON_S + DAY_S)
    assert (tomorrow.spent_usd, tomorrow.requests) == (0, 0)
    assert release(lab, [budget]) == {budget.budget.title: 50 / PUSD_PER_USD}
    assert release(lab, [budget]) == {}
    [state] = budget_states(lab, [budget], NOON_S)
    assert (state.lost_usd, round(state.held_usd * PUSD_PER_USD)) == (0, 20)
    other.close()


def test_of_several_the_one_that_spent_most_is_told(lab):
    """And of how many, and how many have reached theirs."""
    budget = Meter(
        BudgetSettings(usd=100 / PUSD_PER_USD, per="run", whom="user"), HASHES
    )
    store = opened(lab, budget)
    for nth, spent in enumerate((10, 85, 100, 120)):
        whose = Whose("acme", user="jane", session=str(nth))
        store.settle([Change(budget.sum_of(whose, NOON_S), spent, 0, 0, 1)])
    store.pay()

    [state] = budget_states(lab, [budget], NOON_S)

    assert (state.sums, state.reached, state.requests) == (4, 2, 4)
    assert (state.begins, state.ends, state.state) == (None, None, "reached")
    assert round(state.spent_usd * PUSD_PER_USD) == 120
    store.close()


def test_a_file_that_is_none_of_ours_is_passed_over(lab):
    """A look never fails."""
    budget = meter()
    (lab.state / "budgets").mkdir()
    (lab.state / "budgets" / f"{budget.id}.spent").write_text("scribble")

    assert budget_states(lab, [budget], NOON_S)[0].left_usd == budget.budget.usd
    assert release(LabFolder(lab.root / "nowhere"), [budget]) == {}

"""The budgets of a folder, by the lectr.toml beside it."""

import time

from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import PUSD_PER_USD, Whose
from lectr_lab.budgets.of_lab import meters_of, states_of
from lectr_lab.budgets.store import Store
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.log.folder import LabFolder


def test_a_folder_says_how_its_budgets_stand(tmp_path):
    """As soon as they are written; a mere look writes nothing."""
    (tmp_path / "lectr.toml").write_text(
        '[[budget]]\nusd = 5\nper = "day"\n[orgs.acme]\ndaily_spend_usd = 3\n'
    )
    lab = LabFolder.create(tmp_path / "lab")

    assert [state.left_usd for state in states_of(lab.root, environ={"A": ""})] == [
        5,
        3,
    ]
    assert list(lab.state.iterdir()) == []
    (lab.state / "budgets").mkdir()
    budget = BudgetSettings(usd=5, per="month")
    [meter] = meters_of(lab, [budget], {})
    store = Store(lab, [meter])
    found = meter.sum_of(Whose("acme"), time.time())
    store.settle([Change(found, 2 * PUSD_PER_USD)])
    store.close()

    [state] = states_of(lab.root, [budget], {"A": ""})
    assert (state.spent_usd, state.left_usd) == (2, 3)

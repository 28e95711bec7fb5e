"""Whether anything counts for budgets, and what is said where nothing can."""

import sys

import pytest

from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.gates.budget_start import open_budgets

WARN = BudgetSettings(usd=1, per="day")
STOP = BudgetSettings(usd=1, per="day", action="stop")
HASHES = KeyedHash("a secret of sixteen")


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


def test_without_a_budget_there_is_nothing(lab):
    """No sums, no prices, no word."""
    said: list[str] = []
    found = open_budgets(Settings(), lab, HASHES, lambda: 1 / 0, said.append)

    assert (found, said) == (None, [])
    assert not (lab.state / "budgets").exists()


@pytest.mark.parametrize(
    ("budgets", "is_gate"),
    [
        ((WARN,), False),
        ((STOP,), True),
        ((WARN, STOP), True),
        ((BudgetSettings(usd=1, per="day", whom="key"),), True),
    ],
)
def test_a_gate_is_there_where_one_stops(lab, budgets, is_gate):
    """Or where the event will not say whose request it was."""
    said: list[str] = []
    settings = Settings(budget=budgets)
    found = open_budgets(settings, lab, HASHES, tuple, said.append)

    assert found is not None
    assert (found.is_gate, said) == (is_gate, [])
    found.stop()


def test_without_a_price_list_a_stop_does_not_start(lab, monkeypatch):
    """And a warning is one of its own."""
    for name in ("budget_prices", "budgets"):
        monkeypatch.delitem(sys.modules, f"lectr_lab.proxy.gates.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "lectr_lab.core.pricing.price", None)
    monkeypatch.setitem(sys.modules, "lectr_lab.core.pricing.pusd", None)
    said: list[str] = []

    warned = open_budgets(Settings(budget=(WARN,)), lab, HASHES, tuple, said.append)

    assert warned is None
    assert "install `lectr-lab[lab]`" in said[0]
    with pytest.raises(ConfigError, match="A budget that stops needs the price list"):
        open_budgets(Settings(budget=(STOP,)), lab, HASHES, tuple, said.append)


def test_what_cannot_count_is_said(lab):
    """No secret, no folder: requests will go on."""
    said: list[str] = []
    settings = Settings(budget=(STOP,))

    assert open_budgets(settings, lab, None, tuple, said.append) is None
    (lab.state / "budgets").write_text("")
    assert open_budgets(settings, lab, HASHES, tuple, said.append) is None
    assert [line[:24] for line in said] == [
        "Budgets are not counted,",
        "Budgets are not counted:",
    ]

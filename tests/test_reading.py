"""Settings made into what serves."""

import pytest

from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.log.folder import LabFolder
from lectr_lab.reading import Reading, keyed_hash


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    """An empty one."""
    return LabFolder.create(tmp_path / "lab")


def budget(usd: float) -> BudgetSettings:
    return BudgetSettings(usd=usd, per="day")


def test_budgets_that_are_the_same_go_on(lab):
    """Others take their place; what cannot be read changes nothing."""
    settings = Settings(lab=str(lab.root), budget=(budget(1.0),))
    reading = Reading(lab, keyed_hash(lab)[0])
    made = reading.first(settings)
    same = reading.again(lambda: Settings(budget=(budget(1.0),), port=1), made)
    other = reading.again(lambda: Settings(budget=(budget(2.0),)), made)
    none = reading.again(Settings, made)

    def broken() -> Settings:
        raise ConfigError("lectr.toml, line 1: no.")

    with pytest.raises(ConfigError, match="line 1"):
        reading.again(broken, made)
    assert same.budgets is made.budgets is not None
    assert other.budgets is not made.budgets and none.budgets is None
    assert same.said.endswith("lab, port: a new value takes a restart.")
    for one in (made, other):
        one.budgets.stop()


def test_a_secret_that_cannot_be_read_is_said_without_its_place(lab):
    """Requests pass; users stay unknown."""
    (lab.state / "hash_key").mkdir()
    hashes, [said] = keyed_hash(lab)

    assert hashes is None
    assert "state/hash_key" in said and str(lab.root) not in said

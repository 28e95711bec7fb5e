"""The process that reads the log: begun, waited for, ended."""

import subprocess

from lectr_lab.budgets.meters import Meter
from lectr_lab.budgets.states import budget_states
from lectr_lab.budgets.store import Store
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.hash_secret import hash_secret
from lectr_lab.proxy.gates.budget_recovery import Recovery


def test_a_log_is_read_before_anything_is_served(tmp_path):
    """Where that is wanted; else it goes on beside, and ends with the proxy."""
    lab = LabFolder.create(tmp_path / "lab")
    meter = Meter(BudgetSettings(usd=1, per="day"), KeyedHash(hash_secret(lab, {})))
    store = Store(lab, [meter])
    recovery = Recovery()

    recovery.start(lab, [meter], {meter.id: {}}, {}, wait=True)
    [state] = budget_states(lab, [meter])
    recovery.start(lab, [meter], {meter.id: {}}, {})
    recovery.stop()
    recovery.stop()
    store.close()

    assert state.read_log


def test_without_a_process_nothing_fails(tmp_path, monkeypatch):
    """Sums then begin at nothing."""

    def none(*_: object, **__: object) -> None:
        raise OSError(11, "no process")

    monkeypatch.setattr(subprocess, "Popen", none)
    recovery = Recovery()
    recovery.start(LabFolder(tmp_path), [], {}, {}, wait=True)
    recovery.stop()

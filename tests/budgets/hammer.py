"""A process that reserves and settles without a pause: `python hammer.py <lab> <times>`.

Prints what it spent, what was refused, and what it could not count.
"""

import random
import sys
from pathlib import Path

from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import Meter, Whose
from lectr_lab.budgets.store import Store
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder

LIMIT_USD = 5e-6
HASHES = KeyedHash("a secret of sixteen")


def meter() -> Meter:
    """Five million of 1e-12 USD."""
    return Meter(BudgetSettings(usd=LIMIT_USD, per="month", action="stop"), HASHES)


def main(lab: str, times: int) -> None:
    """Hammer."""
    budget = meter()
    store = Store(LabFolder(Path(lab)), [budget])
    dice = random.Random(times)
    spent = refused = 0
    running: list[int] = []
    for nth in range(times):
        if nth % 16 == 0:
            store.pay(lend=True)
        found = budget.sum_of(Whose("acme"), store._now_s())
        pusd = dice.randrange(1, 2_000)
        if store.reserve([found], pusd) is None:
            running.append(pusd)
        else:
            refused += 1
        if running and dice.random() < 0.9:
            held = running.pop(dice.randrange(len(running)))
            cost = dice.randrange(held + 1)
            spent += cost
            store.settle([Change(found, cost, -held, 0, 1)])
    for held in running:
        spent += held
        store.settle([Change(found, held, -held, 0, 1)])
    store.pay()
    print(spent, refused, store.unlocked + store.failed + store.not_written)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

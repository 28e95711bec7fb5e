"""What whoever reads the log for budgets is told, as a line of JSON on its input."""

import msgspec

from lectr_lab.config.budget_settings import BudgetSettings


class RecoveryOrder(msgspec.Struct, frozen=True):
    """Which log, which budgets, and what their sums said at that moment: 1e-12 USD, by
    the budget's id and the key's digits; and up to when the log had been read for each.
    What began later is counted as it ends."""

    lab: str
    budgets: tuple[BudgetSettings, ...]
    at_s: float
    before: dict[str, dict[str, int]]
    read_up_to_s: dict[str, float] = {}

"""The order travels as JSON, unchanged."""

import msgspec

from lectr_lab.budgets.recovery_order import RecoveryOrder
from lectr_lab.config.budget_settings import BudgetSettings


def test_an_order_arrives_as_it_was_given():
    """Sums beyond what a float holds among it."""
    budgets = (BudgetSettings(usd=5, per="day", whom={"org": "a", "user": "*"}),)
    order = RecoveryOrder("lab", budgets, 1.5, {"id": {"00": 2**63 + 1}})

    assert msgspec.json.decode(msgspec.json.encode(order), type=RecoveryOrder) == order

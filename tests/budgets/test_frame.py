"""Budgets as a table, with what is to be said below it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lectr_lab.budgets.frame import SCHEMA, notes, state_frame
from lectr_lab.budgets.states import BudgetState


def state(**more: Any) -> BudgetState:
    usual: dict[str, Any] = {
        "name": "all requests, a day, stop",
        "action": "stop",
        "usd": 5.0,
        "per": "day",
        "whom": "all requests",
        "tz": "Europe/Berlin",
        "begins": datetime(2026, 11, 30, 23, tzinfo=UTC),
        "ends": datetime(2026, 12, 1, 23, tzinfo=UTC),
        "left_usd": 2.0,
        "spent_usd": 3.0,
    }
    return BudgetState(**usual | more)


def test_a_budget_is_a_row():
    """With the hour of its zone at which it begins anew."""
    frame = state_frame([state(), state(sums=3, reached=1), state(ends=None)])

    assert dict(frame.schema) == SCHEMA
    assert frame["state"].to_list() == ["ok", "1 of 3 reached", "ok"]
    assert frame["begins_anew"].to_list() == [
        "2026-12-02 00:00 Europe/Berlin",
        "2026-12-02 00:00 Europe/Berlin",
        "with the next run",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"lost_usd": 0.5}, "budgets release"),
        ({"unpriced": 1_200}, "1,200 requests have no known price"),
        ({"bounded": False}, "is no bound"),
        ({"forgotten": 3}, "3 sums made room"),
    ],
)
def test_what_a_sum_leaves_out_is_said(more, said):
    """And nothing is, where it leaves out nothing."""
    assert notes([state()]) == []
    [note] = notes([state(**more)])
    assert said in note

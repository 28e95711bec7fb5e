"""Budgets as a table, with what is to be said below it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lectr_lab.budgets.frame import SCHEMA, beside_page, for_page, notes, state_frame
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


def test_a_page_is_told_what_it_shows():
    """In the words of its payload; what the dead hold counts as spent."""
    [shown] = for_page([state(lost_usd=0.5, unpriced=1)])

    assert (shown["spent_usd"], shown["limit_usd"], shown["per"]) == (3.5, 5.0, "day")
    assert shown["resets"] == "2026-12-02 00:00 Europe/Berlin"
    assert not shown["bounded"]
    assert for_page([state(ends=None)])[0]["per"] == "run"


def test_a_page_shows_the_budgets_of_its_folder(tmp_path):
    """By the lectr.toml beside it; one that is wrong hides them, and not the page."""
    file = tmp_path / "lectr.toml"
    file.write_text('[[budget]]\nusd = 5\nper = "day"\n')
    [shown] = beside_page(tmp_path / "lab")["budgets"]
    assert (shown["name"], shown["limit_usd"]) == ("all requests, a day, warn", 5.0)

    file.write_text("[[budget]]")
    assert beside_page(tmp_path / "lab") == {}

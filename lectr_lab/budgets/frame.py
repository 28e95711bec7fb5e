"""How budgets stand as a frame, for tables and pages."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lectr_lab.budgets.of_lab import states_of
from lectr_lab.budgets.states import BudgetState
from lectr_lab.budgets.windows import told_moment
from lectr_lab.core.errors import LabError

SCHEMA = {
    "budget": pl.String,
    "state": pl.String,
    "action": pl.String,
    "spent_usd": pl.Float64,
    "limit_usd": pl.Float64,
    "left_usd": pl.Float64,
    "held_usd": pl.Float64,
    "lost_usd": pl.Float64,
    "requests": pl.Int64,
    "refused": pl.Int64,
    "unpriced": pl.Int64,
    "begins_anew": pl.String,
}


def state_frame(states: Sequence[BudgetState]) -> pl.DataFrame:
    """One row a budget, in their order.

    Args:
        states: as `budget_states` gives them.

    Returns:
        The columns of `SCHEMA`: US dollars, requests, and words.

    >>> state_frame([]).columns[:3]
    ['budget', 'state', 'action']
    """
    rows = [
        {
            "budget": state.name,
            "state": _told(state),
            "action": state.action,
            "spent_usd": state.spent_usd,
            "limit_usd": state.usd,
            "left_usd": state.left_usd,
            "held_usd": state.held_usd,
            "lost_usd": state.lost_usd,
            "requests": state.requests,
            "refused": state.refused,
            "unpriced": state.unpriced,
            "begins_anew": _again(state),
        }
        for state in states
    ]
    return pl.DataFrame(rows, SCHEMA)


def notes(states: Sequence[BudgetState]) -> list[str]:
    """What is to be said below the table: of sums that are not what they seem."""
    said = []
    for state in states:
        if state.lost_usd:
            said.append(
                f"{state.name}: ${state.lost_usd:.2g} were set aside by a proxy that "
                "died, and count as spent. `lectr-lab budgets release` gives them back."
            )
        if state.unpriced:
            said.append(
                f"{state.name}: {state.unpriced:,} requests have no known price and "
                "count as nothing; prices.toml in the lab folder can name it."
            )
        if not state.bounded:
            said.append(
                f"{state.name}: some requests say no max_tokens, and nobody knows how "
                "long their model's answers can be: what was set aside is no bound."
            )
        if state.forgotten:
            said.append(
                f"{state.name}: {state.forgotten:,} sums made room for others, the "
                "smallest first: it is for too many at once."
            )
    return said


def for_page(states: Sequence[BudgetState]) -> list[dict[str, Any]]:
    """What a dashboard shows of budgets, ready for JSON.

    Args:
        states: as `budget_states` gives them.

    Returns:
        One each: `name`, `spent_usd` (what is reserved for requests of dead processes in
        it), `limit_usd`, `per`, `action`, `resets`, `bounded`.

    >>> for_page([])
    []
    """
    return [
        {
            "name": state.name,
            "spent_usd": state.spent_usd + state.lost_usd,
            "limit_usd": state.usd,
            "per": "run" if state.ends is None else state.per,
            "action": state.action,
            "resets": _again(state),
            "bounded": state.bounded and not state.unpriced,
        }
        for state in states
    ]


def beside_page(folder: Path | str) -> dict[str, Any]:
    """What a page of a lab folder shows of its budgets; nothing where there are none, or
    where the lectr.toml beside it cannot be followed.

    >>> import tempfile
    >>> beside_page(tempfile.mkdtemp())
    {}
    """
    with contextlib.suppress(LabError):
        if shown := for_page(states_of(folder)):
            return {"budgets": shown}
    return {}


def _told(state: BudgetState) -> str:
    if state.sums > 1:
        return f"{state.reached:,} of {state.sums:,} reached"
    return state.state


def _again(state: BudgetState) -> str:
    if state.ends is None:
        return "with the next run"
    return told_moment(state.ends.timestamp(), state.tz)

"""What is said of budgets: to a client that is refused, to the operator, in /health."""

from collections.abc import Sequence
from typing import Any

import msgspec

from lectr_lab.budgets.meters import PUSD_PER_USD, Meter
from lectr_lab.budgets.states import budget_states
from lectr_lab.budgets.store import REACHED, Reached, Store, Told
from lectr_lab.budgets.windows import told_moment
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.error_responses import Refusal, budget_exceeded
from lectr_lab.core.printable import printable
from lectr_lab.log.folder import LabFolder


def refusal(reached: Reached, client: str | None = None) -> Refusal:
    """What a client is told whose request is not sent.

    Args:
        reached: why it is not.
        client: which it is, by family.
    """
    budget = reached.sum.meter.budget
    more = f"; it may cost up to {_usd(reached.wanted)}"
    if reached.reserved:
        more = f", {_usd(reached.reserved)} held for requests under way{more}"
    refused = budget_exceeded(
        _whose(budget),
        f"{_limit(budget)} {budget.told_per}",
        _usd(reached.spent),
        more,
        _again(reached),
    )
    return _for_codex(refused) if client == "codex" else refused


def _for_codex(refused: Refusal) -> Refusal:
    """Codex shows a 429's status alone, unless it is of a usage limit: then it shows what
    this header says (tried with 0.171.0, 2026-11-30)."""
    said = refused.message.rstrip(".").encode("ascii", "replace")
    header = (b"x-codex-promo-message", said)
    return refused._replace(type="usage_limit_reached", headers=(header,))


def refusing(reached: Reached) -> str:
    """What the operator is told at the first of them."""
    budget = reached.sum.meter.budget
    return (
        f"budget {printable(budget.title)}: {_usd(reached.spent)} of {_limit(budget)} "
        f"spent; requests that may cost more than is left are refused. It begins anew "
        f"{_again(reached)}."
    )


def told(told: Told) -> str:
    """What the operator is told once in a window."""
    budget = told.sum.meter.budget
    what = "is reached" if told.word == REACHED else "is nearly reached"
    then = "" if budget.action == "stop" else " Nothing is refused: its action is warn."
    return (
        f"budget {printable(budget.title)} {what}: {_usd(told.spent)} of "
        f"{_limit(budget)} {budget.told_per} spent; it begins anew {_again(told)}."
        f"{then}"
    )


def about(lab: LabFolder, meters: Sequence[Meter], store: Store) -> dict[str, Any]:
    """How budgets stand, for /health, and what is wrong."""
    states = budget_states(lab, meters)
    problems = []
    if store.problem:
        problems.append(
            f"Budgets are not counted: {store.problem}. Look at state/budgets in the lab "
            "folder; requests go on."
        )
    of_orgs = [
        (budget.of["org"], _over(budget))
        for budget, state in zip((m.budget for m in meters), states, strict=True)
        if state.state == "reached" and budget.of.keys() == {"org"} and not budget.each
    ]
    return {
        "budgets": [msgspec.to_builtins(state) for state in states],
        "budgets_not_counted": store.failed + store.unlocked + store.not_written,
        "warnings": problems,
        "org_warnings": of_orgs,
    }


def _over(budget: BudgetSettings) -> str:
    if budget.title.startswith("daily_spend_usd of "):
        return "has spent its daily_spend_usd of today."
    what = "; requests are refused" if budget.action == "stop" else ""
    return f"has spent its budget of {budget.told_per}{what}."


def _whose(budget: BudgetSettings) -> str:
    return printable(budget.name or budget.told_whom)


def _again(of: Reached | Told) -> str:
    moment = told_moment(of.sum.window.end_s, of.sum.meter.budget.tz)
    return f"on {moment}" if moment else "with the next run"


def _usd(pusd: int) -> str:
    """Cents, and below one so many digits that it is not nothing.

    >>> _usd(4_980_000_000_000), _usd(1_234_000_000)
    ('$4.98', '$0.0012')
    """
    usd = pusd / PUSD_PER_USD
    return f"${usd:,.2f}" if usd >= 0.01 or not pusd else f"${usd:.2g}"


def _limit(budget: BudgetSettings) -> str:
    return _usd(round(budget.usd * PUSD_PER_USD))

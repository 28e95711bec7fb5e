"""What is told: an incident that began or ended, or a budget that is near or reached."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.budgets.states import BudgetState
from lectr_lab.core import formatting

What = Literal["began", "ended", "budget"]


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell, with its numbers and names; nothing of it is content.

    `key` tells it from all others: what was told under it is not told again.
    """

    key: str
    what: What
    sentence: str
    facts: dict[str, Any]

    def as_json(self) -> bytes:
        """One line of JSON, in ASCII."""
        import json

        told = {"what": self.what, "sentence": self.sentence} | self.facts
        return json.dumps(told, default=str, allow_nan=False).encode("ascii")


def incident_word(one: Incident, keys: Sequence[str], what: What) -> Word:
    """An incident that began, or, where it was told before, has ended.

    Args:
        one: the incident.
        keys: the columns that name its series.
        what: "began" or "ended".
    """
    named = dict(zip(keys, one.series, strict=True))
    finite = one.size not in (float("inf"), float("-inf"))
    facts: dict[str, Any] = {
        "id": one.id,
        **{
            key: None if text is None else formatting.name(text)
            for key, text in named.items()
        },
        "kind": one.kind,
        "kinds": list(one.kinds),
        "onset": one.onset.isoformat(),
        "end": None if one.end is None else one.end.isoformat(),
        "actual": one.actual,
        "expected": one.expected,
        "size": one.size if finite else None,
        "requests": one.n,
        "usd_over": one.usd_over,
        "usd_over_parts": one.parts,
        "feature_weeks": one.feature_weeks,
        "changed": list(one.changed),
    }
    sentence = one.sentence
    if what == "ended":
        sentence = f"Over: {sentence}"
    return Word(key=f"{what}:{one.id}", what=what, sentence=sentence, facts=facts)


def budget_word(state: BudgetState) -> Word:
    """A budget that is near its end, or reached."""
    when = state.begins.isoformat() if state.begins else f"{state.reached} runs"
    spent, of = formatting.usd(state.spent_usd), formatting.usd(state.usd)
    how = "is reached" if state.state == "reached" else "is nearly spent"
    title = formatting.name(state.name, 100)
    ends = f" It begins anew at {state.ends:%Y-%m-%d %H:%M} UTC." if state.ends else ""
    stops = " Requests are refused until then." if state.action == "stop" else ""
    return Word(
        key=f"budget:{state.name}:{state.state}:{when}",
        what="budget",
        sentence=f"Budget {title} {how}: {spent} of {of} {_per(state)}.{ends}"
        + (stops if state.state == "reached" else ""),
        facts={
            "budget": title,
            "state": state.state,
            "action": state.action,
            "spent_usd": state.spent_usd,
            "usd": state.usd,
            "per": state.per,
            "begins": state.begins.isoformat() if state.begins else None,
            "ends": state.ends.isoformat() if state.ends else None,
        },
    )


def _per(state: BudgetState) -> str:
    return "a run" if state.per in ("run", "session") else f"a {state.per}"

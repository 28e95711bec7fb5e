"""What is told of an incident, and of a budget."""

import json
from datetime import UTC, datetime

from msgspec.structs import replace
from odd_lab import odd_lab

import lectr_lab as lectr
from lectr_lab.budgets.states import BudgetState
from lectr_lab.watching.word import budget_word, incident_word


def test_an_incident_is_told_in_numbers_and_names(tmp_path):
    """One line of ASCII JSON, whose parts sum; its end is a word of its own."""
    found = lectr.odd(odd_lab(tmp_path / "lab"))
    one, keys = found[0], found.looked.keys

    told = json.loads(incident_word(one, keys, "began").as_json())

    assert b"\n" not in incident_word(one, keys, "began").as_json()
    assert (told["what"], told["id"], told["feature"]) == ("began", one.id, "feature-0")
    assert told["sentence"] == one.sentence
    assert abs(sum(told["usd_over_parts"].values()) - told["usd_over"]) < 1e-9
    assert incident_word(one, keys, "ended").sentence.startswith("Over: ")


def test_a_budget_is_told_once_a_window():
    """That it is near, that it is reached; the next day anew."""
    day = datetime(2026, 11, 30, tzinfo=UTC)
    state = BudgetState(
        name="b\x1b", action="stop", usd=5, per="day", whom="all requests", tz="UTC",
        begins=day, ends=day.replace(month=12, day=1), state="reached",
        spent_usd=5.5, left_usd=0,
    )  # fmt: skip

    word = budget_word(state)

    assert word.sentence.startswith(
        "Budget b<U+001B> is reached: $5.50 of $5.00 a day."
    )
    assert "refused" in word.sentence
    near, next_day = replace(state, state="near"), replace(state, begins=state.ends)
    assert len({word.key, budget_word(near).key, budget_word(next_day).key}) == 3
    assert json.loads(word.as_json())["spent_usd"] == 5.5

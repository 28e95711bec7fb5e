"""What a recommendation says, and which tasks are protected from one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.recommendation import (
    Evidence,
    Interval,
    Recommendation,
    is_protected,
)

SPACES = st.text(alphabet=" \t\n\r\u00a0\u2003", max_size=3)


def test_a_recommendation_survives_json():
    """With its evidence: it can be kept beside the log and read again."""
    evidence = Evidence(
        measure="label",
        against="labels",
        pairs=40,
        score_from=0.9,
        score_to=0.9,
        difference=0.0,
        interval=Interval(-0.04, 0.04, 0.95),
        margin=0.05,
        verdict="adopt",
    )
    said = Recommendation(
        org="me",
        feature=None,
        task="classification",
        provider="openai",
        from_model="gpt-4o",
        to_model="gpt-4o-mini",
        confidence="high",
        reasons=("short answers",),
        requests=10,
        days=8,
        spend_usd=1.0,
        evidence=evidence,
    )

    again = msgspec.json.decode(msgspec.json.encode(said), type=Recommendation)

    assert again == said


@given(
    before=SPACES,
    after=SPACES,
    upper=st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_reasoning_is_protected_however_it_is_written(before, after, upper):
    """In any case, with any spaces around."""
    word = "".join(
        c.upper() if up else c for c, up in zip("reasoning", upper, strict=True)
    )

    assert is_protected(f"{before}{word}{after}")


@pytest.mark.parametrize("task", [None, "", "reason", "generation", "reasoning-light"])
def test_other_tasks_are_not(task):
    """Only the one word."""
    assert not is_protected(task)

"""A made-up agent's sessions."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.demo.agent_sessions import LIVES_S, session, starts

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
NEVER = (START, START)


@settings(deadline=None)
@given(seed=st.text(max_size=8))
def test_a_session_is_one_whatever_the_seed(seed):
    """One id and one user, in the order of time; its parts are never more than the
    prompt; what was not kept in time is not read."""
    turns = list(session(seed, START, NEVER, (*NEVER, 1.0)))

    assert len({turn.columns["session"] for turn in turns}) == 1
    assert len({turn.columns["user"] for turn in turns}) == 1
    assert [turn.at for turn in turns] == sorted(turn.at for turn in turns)
    for turn in turns:
        read, written = (
            turn.usage[f"cache_{what}_tokens"] for what in ("read", "write")
        )
        assert 0 <= read + written <= turn.prompt
        idle_s = turn.columns.get("idle_s")
        assert read == 0 or idle_s <= LIVES_S
    mains = [turn for turn in turns if turn.columns["turn_kind"] == "main"]
    assert mains[0].columns["prefix_break"] == "first"
    assert "first" not in [turn.columns["prefix_break"] for turn in mains[1:]]


def test_while_the_clock_ticks_each_turn_changes_the_system_prompt():
    """Of the main agent's, but the first."""
    ticking = (START, START + timedelta(days=1))

    turns = session("a", START, ticking, (*NEVER, 1.0))
    breaks = [t.columns["prefix_break"] for t in turns if "agent" not in t.columns]

    assert set(breaks[2:]) <= {"system", "history"}


def test_sessions_begin_in_working_hours_and_seldom_on_weekends():
    """So many a day, from Monday on; the same seed gives the same."""
    found = list(starts("a", datetime(2026, 11, 2, tzinfo=UTC), 28, 6.0))

    assert {at.hour for at in found} <= set(range(8, 19))
    weekend = sum(at.weekday() >= 5 for at in found)
    assert 0 < weekend / 8 < (len(found) - weekend) / 20 / 2
    assert found == list(starts("a", datetime(2026, 11, 2, tzinfo=UTC), 28, 6.0))

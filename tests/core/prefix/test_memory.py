"""The memory of prompts is bounded, and holds what is needed."""

from hypothesis import given
from hypothesis import strategies as st
from prefix_bodies import KEY, body

from lectr_lab.core.prefix.compare import Seen
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.memory import PrefixMemory

MODEL = ("openai", "gpt-5.4")


def seen(*said, at_s=0.0, takes_s=2.0, **more):
    prompt = read_prompt(body("chat", *said, **more), None, KEY)
    return Seen(prompt, MODEL, None, at_s, at_s + takes_s)


def look(memory, session, now, is_session=True):
    return memory.look(session, now, None, is_session=is_session).cause


def test_each_session_has_its_own():
    """What another session sent is not what this one goes on from."""
    memory = PrefixMemory()

    assert look(memory, "a", seen("Hi")) == "first"
    assert look(memory, "b", seen("Hi", at_s=5)) == "first"
    assert look(memory, "a", seen("Hi", "Hello", "So", at_s=9)) == "none"


def test_what_was_under_way_is_not_compared_with():
    """Nothing was cached when the second of two at once was sent."""
    memory = PrefixMemory()
    look(memory, "a", seen("Hi", at_s=0, takes_s=30))

    assert look(memory, "a", seen("Ho", at_s=10)) == "first"
    assert look(memory, "a", seen("Hi", "Hello", "So", at_s=31)) == "none"


def test_a_turn_takes_the_place_of_the_one_before():
    """A long conversation takes as much memory as its last prompt."""
    memory, said = PrefixMemory(), ["Hi"]
    for turn in range(200):
        look(memory, "a", seen(*said, at_s=turn * 10.0))
        said += ["Hello", "Go on"]

    assert memory.held_bytes < 2 * seen(*said).prompt.memory_bytes


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), max_size=60))
def test_it_never_holds_more_than_it_may(asked):
    """Whatever comes, and what it counts is what it has."""
    memory = PrefixMemory(most_bytes=20_000)
    for at, (session, length) in enumerate(asked):
        now = seen(*[f"{at}-{n}" for n in range(length)], at_s=at * 10.0)
        look(memory, session, now)
        held = list(memory._sessions.values())

        alone = len(held) == 1
        assert memory.held_bytes <= 20_000 or alone
        counted = sum(s.prompt.memory_bytes for one in held for s in one)
        assert memory.held_bytes == counted + 600 * len(held)


def test_sessions_that_rest_longest_go_first():
    """One that was asked in stays."""
    memory = PrefixMemory(most_bytes=8_000)
    look(memory, "a", seen("Hi", at_s=0))
    for n in range(20):
        look(memory, n, seen("Hi", at_s=10.0 + n))
        look(memory, "a", seen("Hi", "Hello", "So", at_s=40.0 + n))

    assert look(memory, "a", seen("Hi", "Hello", "So", "Yes", "No", at_s=99)) == "none"
    assert look(memory, 0, seen("Hi", "Hello", "So", at_s=99)) is None


def test_a_sessions_oldest_prompts_go_first():
    """There are not more alive than it has agents."""
    memory = PrefixMemory()
    for n in range(40):
        look(memory, "a", seen(f"agent {n}", at_s=float(n), system=f"You are {n}" * 9))

    [held] = memory._sessions.values()
    assert len(held) == 16
    assert min(s.started_s for s in held) == 24

"""Prompts of all workers, compared in the order in which their replies began."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st
from prefix_bodies import KEY, body

from lectr_lab.core.prefix.compare import Seen
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.memory import PrefixMemory
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.proxy.shared.messages import Look, Looked, look
from lectr_lab.workers.prefixes import Prefixes

TALK = ("Read the file", "I did", "Now write it", "Done", "Thanks")
MODEL = ("openai", "gpt-5.4")


def looks(sessions: int, turns: list[tuple[int, str, int]]) -> list[Look]:
    """What workers ask, each turn after the one before it was answered."""
    asked = []
    for number, (session, system, said) in enumerate(turns):
        data = body("chat", *TALK[: 2 * said + 1], system=system)
        prompt = read_prompt(data, rule_of(*MODEL), KEY, has_media=False)
        assert prompt is not None
        seen = Seen(prompt, MODEL, None, number + 0.1, number + 0.5)
        asked.append(look(number, (str(session % sessions),), seen, is_session=True))
    return asked


def answers(asked: list[Look], held_s: float) -> dict[int, Looked]:
    """All of them."""

    async def run() -> dict[int, Looked]:
        told: dict[int, Looked] = {}
        prefixes = Prefixes(held_s)
        for one in asked:
            prefixes.look(one, lambda looked: told.update({looked.number: looked}))
        async with asyncio.timeout(20):
            while len(told) < len(asked):
                await asyncio.sleep(0.005)
        assert prefixes.held_bytes > 0 or not asked
        return told

    return asyncio.run(run())


@given(
    turns=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.integers(0, 2)),
        max_size=6,
    ),
    data=st.data(),
)
def test_the_order_in_which_workers_tell_changes_nothing(turns, data):
    """Each is answered as one process would have."""
    asked = looks(2, turns)
    memory, alone = PrefixMemory(), {}
    for one in asked:
        change = memory.look(one.session, one.seen, rule_of(*MODEL), is_session=True)
        alone[one.number] = Looked(one.number, *change)
    mixed = data.draw(st.permutations(asked))

    assert answers(list(mixed), 0.01) == alone


def test_each_is_answered_soon_though_others_keep_coming():
    """It is held for a moment, not until it is quiet."""
    asked = looks(1, [(0, "a", turn % 3) for turn in range(40)])

    async def run() -> list[int]:
        told: list[int] = []
        prefixes = Prefixes(0.02)
        for one in itertools.islice(itertools.cycle(asked), 120):
            prefixes.look(one, lambda looked: told.append(looked.number))
            await asyncio.sleep(0.002)
        return told

    assert len(asyncio.run(run())) > 40


def test_a_prompt_that_cannot_be_compared_ends_nothing():
    """Its question is answered, with nothing; the next as ever."""
    good, other = looks(1, [(0, "a", 0), (0, "a", 1)])
    broken = {name: getattr(good, name) for name in good.__struct_fields__}
    broken |= {"number": 7, "ends": b"", "answered_s": 0.2}

    told = answers([Look(**broken), other], 0.0)

    assert told[7] == Looked(7, 0, None, None, None)
    assert told[1].prefix > 0

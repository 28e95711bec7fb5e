"""The tape's clock."""

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tape.clock import FIRST_AT, PlayedClock


@given(st.lists(st.floats(0, 1e6)))
def test_time_moves_only_when_a_tape_plays_and_only_forward(moments):
    """It is the latest moment played."""

    async def played():
        clock, seen = PlayedClock(), []
        for at_ms in moments:
            clock.play_until(at_ms)
            seen.append(clock.now_s() * 1000)
        return seen

    seen = asyncio.run(played())

    assert seen == sorted(seen)
    assert all(abs(s - max(moments[: i + 1])) < 1e-6 for i, s in enumerate(seen))


def test_requests_do_not_see_each_others_time():
    """Each task has its own."""
    clock = PlayedClock()

    async def request(at_ms):
        clock.play_until(at_ms)
        await asyncio.sleep(0)
        return clock.now_s()

    async def both():
        return await asyncio.gather(request(1000.0), request(2.5))

    assert asyncio.run(both()) == [1.0, 0.0025]


def test_days_and_dice_repeat():
    """Two clocks say the same: a second apart, from the same first."""
    one, other = PlayedClock(), PlayedClock()

    assert [one.utc_now() for _ in range(2)] == [FIRST_AT, FIRST_AT + timedelta(0, 1)]
    assert [one.random_bits(74) for _ in range(9)] == [
        other.random_bits(74) for _ in range(9)
    ]

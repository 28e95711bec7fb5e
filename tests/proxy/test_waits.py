"""Waits that are all as long as one another end in their order, and each alone."""

import asyncio

import pytest

from lectr_lab.proxy.waits import Wait, Waits


async def waiting(waits: Waits, seconds: float) -> str:
    """How a wait ended that would be over after so long."""
    task = asyncio.current_task()
    assert task is not None
    try:
        with Wait(waits, task):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "late"
    return "over"


def test_each_wait_ends_alone():
    """Those that began later go on, and what is over in time is no timeout."""

    async def run():
        waits = Waits(0.05)
        first = asyncio.create_task(waiting(waits, 60))
        await asyncio.sleep(0.03)
        others = [asyncio.create_task(waiting(waits, s)) for s in (0, 60)]
        await asyncio.wait([first])
        left = len(waits.running)
        return await asyncio.gather(first, *others), left, len(waits.running)

    told, left, after = asyncio.run(run())

    assert told == ["late", "over", "late"]
    assert left <= 1
    assert after == 0


def test_another_waits_after_all_were_over():
    """The timer is made again, as often as somebody waits."""

    async def run():
        waits = Waits(0.02)
        return [
            await waiting(waits, 60),
            await waiting(waits, 0),
            await waiting(waits, 60),
        ]

    assert asyncio.run(run()) == ["late", "over", "late"]


@pytest.mark.parametrize("also_late", [True, False])
def test_a_task_that_somebody_else_cancels_is_cancelled(also_late):
    """A client that leaves is no timeout, though both come at once."""

    async def run():
        waits = Waits(60)
        task = asyncio.create_task(waiting(waits, 60))
        await asyncio.sleep(0)
        if also_late:
            next(iter(waits.running)).end()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), len(waits.running)

    assert asyncio.run(run()) == (True, 0)

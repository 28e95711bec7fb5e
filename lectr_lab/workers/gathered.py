"""How all workers are, gathered for the one that is asked at /health."""

import asyncio
from collections.abc import Sequence
from typing import Any

from lectr_lab.proxy.shared.messages import (
    AllHealth,
    HealthTold,
    OneHealth,
    TellHealth,
)
from lectr_lab.workers.process import WorkerProcess

WITHIN_S = 1.0


class Gathering:
    """Asks them all, and answers once all have, or a second has passed."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, tuple[dict[int, dict[str, Any] | None], asyncio.Event]]
        self._open = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(
        self,
        asking: WorkerProcess,
        number: int,
        workers: Sequence[WorkerProcess],
        restarts: int,
        remembered_bytes: int,
    ) -> None:
        """Ask them for one that wants to know.

        Args:
            asking: is answered, under its own `number`.
            number: of its question.
            workers: those that answer.
            restarts: how often one was replaced.
            remembered_bytes: of their sessions' prompts.
        """
        answer = self._answer(asking, number, workers, restarts, remembered_bytes)
        task = asyncio.create_task(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def told(self, worker: WorkerProcess, message: HealthTold) -> None:
        """One has said how it is."""
        found = self._open.get(message.number)
        if found is not None:
            said, complete = found
            said[worker.pid] = message.health
            if all(health is not None for health in said.values()):
                complete.set()

    async def _answer(
        self,
        asking: WorkerProcess,
        number: int,
        workers: Sequence[WorkerProcess],
        restarts: int,
        remembered_bytes: int,
    ) -> None:
        self._number += 1
        own, complete = self._number, asyncio.Event()
        said: dict[int, dict[str, Any] | None] = {one.pid: None for one in workers}
        self._open[own] = said, complete
        for one in workers:
            one.say(TellHealth(own))
        try:
            async with asyncio.timeout(WITHIN_S):
                await complete.wait()
        except TimeoutError:
            pass  # it is said who was silent
        finally:
            del self._open[own]
        all_of_them = [
            OneHealth(one.pid, one.started_at, one.retired, said[one.pid])
            for one in workers
        ]
        asking.say(AllHealth(number, all_of_them, restarts, remembered_bytes))

"""How all workers are, whoever asks."""

import asyncio

from lectr_lab.proxy.shared.messages import AllHealth, HealthTold, TellHealth
from lectr_lab.workers import gathered
from lectr_lab.workers.gathered import Gathering


class Worker:
    """One that is told, and answers if it can."""

    def __init__(self, pid: int, gathering: Gathering, *, silent: bool = False) -> None:
        self.pid, self.started_at, self.retired = pid, "then", pid > 10
        self.told: list[AllHealth] = []
        self._gathering, self._silent = gathering, silent

    def say(self, message) -> bool:
        if isinstance(message, AllHealth):
            self.told.append(message)
        elif isinstance(message, TellHealth) and not self._silent:
            health = {"in_flight": self.pid}
            self._gathering.told(self, HealthTold(message.number, health))  # type: ignore[arg-type]
        return True


def test_each_question_is_answered_with_all_of_them(monkeypatch):
    """Under its own number; who does not answer is named all the same."""
    monkeypatch.setattr(gathered, "WITHIN_S", 0.1)

    async def run() -> list[Worker]:
        gathering = Gathering()
        workers = [Worker(1, gathering), Worker(12, gathering)]
        late = Worker(3, gathering, silent=True)
        gathering.begin(workers[0], 7, workers, 2, 50)  # type: ignore[arg-type]
        gathering.begin(workers[1], 7, [*workers, late], 2, 50)  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            while not all(one.told for one in workers):
                await asyncio.sleep(0.01)
        gathering.told(late, HealthTold(2, {}))  # type: ignore[arg-type] # too late
        return workers

    first, second = asyncio.run(run())

    [told] = first.told
    assert (told.number, told.restarts, told.remembered_bytes) == (7, 2, 50)
    assert [one.health for one in told.workers] == [{"in_flight": 1}, {"in_flight": 12}]
    assert [one.retiring for one in told.workers] == [False, True]
    [told] = second.told
    assert [one.health for one in told.workers][2] is None

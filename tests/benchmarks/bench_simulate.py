"""How long `simulate` takes beside the plain pricing of the same log.

    python tests/benchmarks/bench_simulate.py LAB_FOLDER [rounds, default 2]

Each runs in a process of its own, in turn; of each, the least wall and CPU time are
shown, and both as multiples of the pricing's. CPU time is the steadier on a busy machine. `some` rules move one model, `all` move
every request that can be.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.simulate import simulate
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget

MINI = RuleTarget(model="gpt-4o-mini")
SOME = Rule(name="some", priority=1, when=Conditions(model="gpt-4o"), then=MINI)
ALL = Rule(
    name="all", priority=1, then=RuleTarget(model="gpt-4.1-nano", provider="openai")
)
KEYED = ("openai",)


def pricing(folder: Path) -> int:
    found = scan(folder).select(pl.col("cost_usd").sum())
    return round(found.collect(engine="streaming").item())


def some(folder: Path) -> int:
    return simulate(scan(folder), SOME, keyed=KEYED).changed


def everything(folder: Path) -> int:
    return simulate(scan(folder), ALL, keyed=KEYED).changed


CONTESTANTS: dict[str, Callable[[Path], int]] = {
    f.__name__: f for f in (pricing, some, everything)
}


def one(name: str, folder: Path) -> None:
    start = time.perf_counter()
    answer = CONTESTANTS[name](folder)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    sys.stdout.write(json.dumps({"wall": seconds, "cpu": cpu, "answer": answer}))


def main(folder: str, rounds: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        for name in CONTESTANTS:
            command = [sys.executable, __file__, "--one", name, folder]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            runs[name].append(json.loads(done.stdout))
    least = {
        (name, time): min(run[time] for run in tries)
        for name, tries in runs.items()
        for time in ("wall", "cpu")
    }
    for name, tries in runs.items():
        times = "".join(
            f"{least[name, time]:8.2f} s {time} "
            f"{least[name, time] / least['pricing', time]:5.2f}x"
            for time in ("wall", "cpu")
        )
        sys.stdout.write(f"{name:12}{times}  {tries[0]['answer']:>12,}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 2)

"""How long `simulate` takes beside the plain pricing of the same log.

    python tests/benchmarks/bench_simulate.py LAB_FOLDER [rounds, default 2]

Each runs in a process of its own, in turn; the best time of each is shown, and each
simulation's as a multiple of the pricing's. `some` rules move one model, `all` move
every request that can be.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from lectr_lab.analysis.simulate import simulate
from lectr_lab.analysis.traffic import scan
from lectr_lab.core.rules import Conditions, Rule, Target

MINI = Target(model="gpt-4o-mini")
SOME = Rule(name="some", priority=1, when=Conditions(model="gpt-4o"), then=MINI)
ALL = Rule(name="all", priority=1, then=Target(model="gpt-4.1-nano", provider="openai"))
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
    sys.stdout.write(json.dumps({"s": seconds, "answer": answer}))


def main(folder: str, rounds: int) -> None:
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name in CONTESTANTS:
            command = [sys.executable, __file__, "--one", name, folder]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            run = json.loads(done.stdout)
            best[name] = min(best.get(name, run), run, key=lambda r: r["s"])
    base = best["pricing"]["s"]
    lines = [
        f"{name:12}{run['s']:7.2f} s {run['s'] / base:5.2f}x  {run['answer']:>12,}"
        for name, run in best.items()
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 2)

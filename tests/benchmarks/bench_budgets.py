"""What a budget costs a request: the proxy without one, with one that warns, and with one
that stops, in turns on one machine.

`python tests/benchmarks/bench_budgets.py [--rounds N] [--turn S] [--out FILE]`

Each is run as `lectr-lab serve` runs it, with its log, in front of the same instant
provider, and is sent chats of 1 KB over 32 connections. What is told is the median, over
rounds, of the difference to the proxy without a budget in the same round.
"""

import argparse
import os
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from math import ceil, floor
from pathlib import Path
from statistics import median

from bench_commits import turn_us

from lectr_lab.bench.gateways import ours
from lectr_lab.bench.measure import Sender, helper
from lectr_lab.config.budget_settings import BudgetSettings

ARMS: dict[str, tuple[BudgetSettings, ...]] = {
    "none": (),
    "warn": (BudgetSettings(usd=1e6, per="month"),),
    "stop": (BudgetSettings(usd=1e6, per="month", action="stop"),),
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turn", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    seen: list[dict[str, float]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(helper("instant_provider"))
        sender = Sender(stack.enter_context(helper("load")))
        assert provider.stdout
        upstream_port = int(provider.stdout.readline())
        proxies = {
            name: stack.enter_context(ours(upstream_port, folder / name, budget=budget))
            for name, budget in ARMS.items()
        }
        names = list(proxies)
        for one in proxies.values():
            turn_us(sender, one, 1.0, stream=False)
        for n in range(args.rounds):
            at = n % len(names)
            turns = {
                name: turn_us(sender, proxies[name], args.turn, stream=False)
                for name in names[at:] + names[:at]
            }
            seen.append({name: us for name, us in turns.items() if us is not None})
    whole = [turns for turns in seen if len(turns) == len(names)]
    lines = ["| budget | µs a request | more than without, µs |", "|---|---|---|"]
    for name in names:
        more = sorted(turns[name] - turns["none"] for turns in whole)
        said = "" if name == "none" else f"{median(more):.1f} {_between(more)}"
        lines.append(f"| {name} | {median(t[name] for t in whole):.0f} | {said} |")
    text = "\n".join(lines)
    print(text)
    if args.out is not None:
        args.out.write_text(
            "# What a budget costs a request\n\n"
            "Made by `python tests/benchmarks/bench_budgets.py` on "
            f"{datetime.now(UTC).date()}: {len(whole)} rounds, medians of processor time; "
            f"the machine's load was {os.getloadavg()[1]:.0f}, of {os.cpu_count()} "
            f"cores.\n\n{text}\n"
        )


def _between(more: list[float]) -> str:
    """A 95 % interval of the median, from order statistics (`views/percentiles.py`)."""
    n = len(more)
    half = 1.96 * n**0.5 / 2
    low, high = floor(n / 2 - half) - 1, ceil(n / 2 + half)
    if low < 0 or high >= n:
        return ""
    return f"[{more[low]:.1f}, {more[high]:.1f}]"


if __name__ == "__main__":
    main()

"""The processor time of a request in several commits, in turns on one machine.

`python tests/benchmarks/bench_commits.py REV… [--rounds N] [--turn S] [--out FILE]`

The first is what the others are held to; `.` is what lies in this checkout. Each is run
as `lectr-lab serve` runs it, with its log, in front of the same instant provider, and is
sent chats of 1 KB over 32 connections, or streams of ten chunks. A turn is short, each
round begins with another commit, and of a commit the median of its ratios to the first
within the same round is told: other work on the machine is then in both.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.load import Job
from lectr_lab.bench.measure import CONNECTIONS, Sender, helper
from lectr_lab.bench.process import cpu_s

HERE = Path(__file__).parents[2]

# Told to the Python of each commit: what it is measured by is its own.
_HOST = """\
import json, sys, tempfile
from pathlib import Path
from lectr_lab.bench.gateways import ours
with tempfile.TemporaryDirectory() as folder, ours(int(sys.argv[1]), Path(folder)) as it:
    print(json.dumps(it), flush=True)
    sys.stdin.read()
"""


@contextmanager
def tree(rev: str, folder: Path) -> Iterator[Path]:
    """A commit's files."""
    if rev == ".":
        yield HERE
        return
    packed = subprocess.run(
        ["git", "archive", rev, "lectr_lab", "pyproject.toml"],
        cwd=HERE,
        check=True,
        capture_output=True,
    )
    there = folder / rev
    there.mkdir()
    subprocess.run(["tar", "-x", "-C", there], input=packed.stdout, check=True)
    yield there


@contextmanager
def proxy(tree: Path, upstream_port: int) -> Iterator[Gateway]:
    """The proxy of a commit, running."""
    command = [sys.executable, "-c", _HOST, str(upstream_port)]
    with subprocess.Popen(
        command,
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout
        port, headers, pids = json.loads(process.stdout.readline())
        yield Gateway(port, tuple(map(tuple, headers)), tuple(pids))
        process.stdin.close()


def turn_us(
    sender: Sender, gateway: Gateway, seconds: float, stream: bool
) -> float | None:
    """Processor time a request, in µs; None: something was not answered."""
    before_s = cpu_s(list(gateway.pids))
    load = sender.send(
        Job(
            port=gateway.port,
            request=gateway.request(stream=stream),
            connections=CONNECTIONS,
            seconds=seconds,
        )
    )
    used_s = cpu_s(list(gateway.pids)) - before_s
    return None if load.errors else used_s / load.replies * 1e6


def measure(
    sender: Sender,
    gateways: dict[str, Gateway],
    rounds: int,
    seconds: float,
    stream: bool,
) -> dict[str, tuple[float, float]]:
    """Of each commit, by name: its µs a request, and its ratio to the first."""
    names = list(gateways)
    for gateway in gateways.values():
        turn_us(sender, gateway, 1.0, stream)
    seen: list[dict[str, float]] = []
    for n in range(rounds):
        at = n % len(names)
        turns = {
            name: turn_us(sender, gateways[name], seconds, stream)
            for name in names[at:] + names[:at]
        }
        whole = {name: us for name, us in turns.items() if us is not None}
        if len(whole) == len(names):
            seen.append(whole)
    return {
        name: (
            median(us[name] for us in seen),
            median(us[name] / us[names[0]] for us in seen),
        )
        for name in names
    }


def table(
    told: dict[str, dict[str, tuple[float, float]]], named: Callable[[str], str]
) -> str:
    """The figures as Markdown."""
    kinds = list(told)
    head = "| commit |" + "".join(f" {kind}, µs | ratio |" for kind in kinds)
    lines = [head, "|---" * (1 + 2 * len(kinds)) + "|"]
    for name in told[kinds[0]]:
        cells = "".join(
            f" {us:.0f} | {x:.3f} |" for us, x in (told[k][name] for k in kinds)
        )
        lines.append(f"| {named(name)} |{cells}")
    return "\n".join(lines)


def _named(rev: str) -> str:
    command = ["git", "log", "-1", "--format=%h", "HEAD" if rev == "." else rev]
    told = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True)
    return told.stdout.strip()


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("revs", nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turn", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--chats-only", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(helper("instant_provider"))
        sender = Sender(stack.enter_context(helper("load")))
        assert provider.stdout
        upstream_port = int(provider.stdout.readline())
        gateways = {
            rev: stack.enter_context(
                proxy(stack.enter_context(tree(rev, folder)), upstream_port)
            )
            for rev in args.revs
        }
        kinds = {"chat": False} if args.chats_only else {"chat": False, "stream": True}
        told = {
            kind: measure(sender, gateways, args.rounds, args.turn, stream)
            for kind, stream in kinds.items()
        }
    text = table(told, _named)
    print(text)
    if args.out is not None:
        today = datetime.now(UTC).date().isoformat()
        args.out.write_text(
            "# The processor time of a request, by commit\n\n"
            "Made by `python tests/benchmarks/bench_commits.py "
            f"{' '.join(_named(rev) for rev in args.revs)}` on {today}: "
            f"{args.rounds} rounds, the median of each; what a ratio is of is the first. "
            f"The machine's load was {os.getloadavg()[1]:.0f}, of {os.cpu_count()} cores: "
            "the more, the dearer is what wakes another thread.\n\n"
            f"{text}\n"
        )


if __name__ == "__main__":
    main()

"""The processor time of a request in several commits, in turns on one machine.

`python tests/benchmarks/bench_commits.py REV… [--rounds N] [--turn S] [--out FILE]`

The first is what the others are held to; `.` is what lies in this checkout, `.+2` the
same with two workers, `nginx` and `portkey` are those. Each is run
as `lectr-lab serve` runs it, with its log, in front of the same instant provider, and is
sent chats of 1 KB over 32 connections, or streams of ten chunks. A turn is short, each
round begins with another commit, and of a commit the median of its ratios to the first
within the same round is told: other work on the machine is then in both.

`--added` measures how much later chats over one connection are answered than without
anything in between, at the median, each held to a turn of its own before it.

`--with-ends` measures chats with the time of load and provider in it. Where all that
is on two cores is busy, two workers answer as many a second as go into two seconds of
that; one process answers as many as go into one second of its own.

`--session` measures chats of 7 KB in one session, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from lectr_lab.bench import gateways as others
from lectr_lab.bench.gateways import Gateway
from lectr_lab.bench.load import Job
from lectr_lab.bench.measure import CONNECTIONS, Sender, helper, quantile
from lectr_lab.bench.process import cpu_s

_MOST_WARMING = 40  # turns
_BETTER, _STEADY = 0.97, 3
HERE = Path(__file__).parents[2]

# Told to the Python of each commit: what it is measured by is its own.
_HOST = """\
import json, sys, tempfile
from pathlib import Path
from lectr_lab.bench import gateways
port, workers = map(int, sys.argv[1:])
with tempfile.TemporaryDirectory() as name:
    at = port, Path(name)
    one = gateways.several(*at, workers) if workers else gateways.ours(*at)
    with one as it:
        print(json.dumps(it), flush=True)
        sys.stdin.read()
"""
_OTHERS = {"nginx": others.nginx, "portkey": others.portkey}


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
    there.mkdir(exist_ok=True)  # with workers and without
    subprocess.run(["tar", "-x", "-C", there], input=packed.stdout, check=True)
    yield there


@contextmanager
def running(name: str, upstream_port: int, folder: Path) -> Iterator[Gateway]:
    """Whatever is named in the command's line, running."""
    if name in _OTHERS:
        (own := folder / name).mkdir()
        with _OTHERS[name](upstream_port, own) as gateway:
            yield gateway
        return
    rev, _, workers = name.partition("+")
    with (
        tree(rev, folder) as files,
        proxy(files, upstream_port, int(workers or 0)) as gateway,
    ):
        yield gateway


@contextmanager
def proxy(tree: Path, upstream_port: int, workers: int = 0) -> Iterator[Gateway]:
    """The proxy of a commit, running; 0 workers are the one process of `serve`."""
    command = [sys.executable, "-c", _HOST, str(upstream_port), str(workers)]
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


def in_a_session(request: bytes) -> bytes:
    """The same chat of 7 KB, as one of a session: its prompt is compared with others."""
    head, _, body = request.partition(b"\r\n\r\n")
    asked = json.loads(body)
    asked["messages"][0]["content"] *= 9
    body = json.dumps(asked).encode()
    lines = [
        line
        for line in head.split(b"\r\n")
        if not line.lower().startswith(b"content-length")
    ]
    lines += [b"X-Lectr-Session: nightly-7", b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def turn_us(
    sender: Sender,
    gateway: Gateway,
    seconds: float,
    stream: bool,
    dressed: Callable[[bytes], bytes] = bytes,
) -> float | None:
    """Processor time a request, in µs; None: something was not answered."""
    before_s = cpu_s(list(gateway.pids))
    load = sender.send(
        Job(
            port=gateway.port,
            request=dressed(gateway.request(stream=stream)),
            connections=CONNECTIONS,
            seconds=seconds,
        )
    )
    used_s = cpu_s(list(gateway.pids)) - before_s
    return None if load.errors else used_s / load.replies * 1e6


def added_us(
    sender: Sender, gateway: Gateway, direct: Gateway, seconds: float
) -> float | None:
    """How much later a chat over one connection is answered, in µs, at the median."""
    medians_ms = []
    for one in (direct, gateway):
        request = one.request(stream=False)
        load = sender.send(
            Job(port=one.port, request=request, connections=1, seconds=seconds / 2)
        )
        medians_ms.append(quantile(load.total_ms, 0.5))
        if load.errors:
            return None
    return (medians_ms[1] - medians_ms[0]) * 1000


def warm(turn: Callable[[Gateway], float | None], gateway: Gateway) -> None:
    """Take turns until three in a row were no better than the best before them: a
    compiler that runs beside, as Node's, takes thousands of requests to end."""
    best_us, since = float("inf"), 0
    for _ in range(_MOST_WARMING):
        us = turn(gateway)
        better = us is not None and us < best_us * _BETTER
        best_us, since = (us, 0) if us is not None and better else (best_us, since + 1)
        if since == _STEADY:
            return


def measure(
    gateways: Mapping[str, Gateway],
    turn: Callable[[Gateway], float | None],
    rounds: int,
) -> dict[str, tuple[float, float]]:
    """Of each, by name: its µs, and its ratio to the first."""
    names = list(gateways)
    for gateway in gateways.values():
        warm(turn, gateway)
    seen: list[dict[str, float]] = []
    for n in range(rounds):
        at = n % len(names)
        turns = {name: turn(gateways[name]) for name in names[at:] + names[:at]}
        whole = {name: us for name, us in turns.items() if us is not None}
        if len(whole) == len(names):
            seen.append(whole)
    if not seen:
        sys.exit("In no round were all of them answered.")
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


def _named(name: str) -> str:
    if name in _OTHERS:
        return name
    rev, plus, workers = name.partition("+")
    command = ["git", "log", "-1", "--format=%h", "HEAD" if rev == "." else rev]
    told = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True)
    return told.stdout.strip() + (f", {workers} workers" if plus else "")


def _argument(name: str) -> str:
    """As it can be given again, when this checkout has gone on."""
    rev, plus, workers = name.partition("+")
    return name if name in _OTHERS else _named(rev) + plus + workers


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("revs", nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turn", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--chats-only", action="store_true")
    parser.add_argument("--added", action="store_true")
    parser.add_argument("--with-ends", action="store_true")
    parser.add_argument("--session", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = stack.enter_context(helper("instant_provider"))
        load = stack.enter_context(helper("load"))
        sender = Sender(load)
        assert provider.stdout
        upstream_port = int(provider.stdout.readline())
        direct, ends = Gateway(upstream_port), (load.pid, provider.pid)
        gateways = {
            rev: stack.enter_context(running(rev, upstream_port, folder))
            for rev in args.revs
        }
        turns: dict[str, Callable[[Gateway], float | None]] = {
            "chat": lambda one: turn_us(sender, one, args.turn, False)
        }
        if not args.chats_only:
            turns["stream"] = lambda one: turn_us(sender, one, args.turn, True)
        if args.session:
            turns["chat of a session"] = lambda one: turn_us(
                sender, one, args.turn, False, in_a_session
            )
        if args.with_ends:
            turns["chat, with both ends"] = lambda one: turn_us(
                sender, one._replace(pids=one.pids + ends), args.turn, False
            )
        if args.added:
            turns["added, 1 connection"] = lambda one: added_us(
                sender, one, direct, args.turn
            )
        told = {
            kind: measure(gateways, turn, args.rounds) for kind, turn in turns.items()
        }
    text = table(told, _named)
    print(text)
    if args.out is not None:
        today = datetime.now(UTC).date().isoformat()
        args.out.write_text(
            "# The processor time of a request, by commit\n\n"
            "Made by `python tests/benchmarks/bench_commits.py "
            f"{' '.join(map(_argument, args.revs))}` on {today}: "
            f"{args.rounds} rounds, the median of each; what a ratio is of is the first. "
            f"The machine's load was {os.getloadavg()[1]:.0f}, of {os.cpu_count()} cores: "
            "the more, the dearer is what wakes another thread.\n\n"
            f"{text}\n"
        )


if __name__ == "__main__":
    main()

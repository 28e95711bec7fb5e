"""What compaction does to requests, and what an event costs their process.

`python tests/benchmarks/bench_stall.py [--rows N] [--rounds N] [--turn S]`

    stall     p99 of what the proxy adds, while the process that it starts for idle
              compaction merges a big closed day of its folder, against without. Rounds
              of four turns, so that all see one machine: straight to the provider and
              through the proxy, each without and with compaction.
    event     processor time of the proxy's process for one event: `put`, queue, and
              the journal's thread (encode, write, sync), at a steady rate

Absolutes drift with the machine; the ratio holds.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec
from bench_log import DAY, fill, make_rows

from lectr_lab.bench.gateways import Gateway, ours
from lectr_lab.bench.load import Job
from lectr_lab.bench.measure import Sender, helper, quantile
from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.observers.outbox import Outbox

PUT_EVENTS = 20_000
PUT_PER_S = 2_000
_PACE_S = 0.01


def stall(rows: int, rounds: int, turn_s: float) -> dict[str, object]:
    """Added p50 and p99 in ms, without and with compaction, and their ratio."""
    turns: dict[str, list[list[float]]] = {name: [] for name in _TURNS}
    with (
        tempfile.TemporaryDirectory() as temporary,
        helper("instant_provider") as provider,
        helper("load") as load,
    ):
        folder = Path(temporary)
        raw = LabFolder.create(folder / "raw")
        fill(raw, rows)
        assert provider.stdout
        port, sender = int(provider.stdout.readline()), Sender(load)
        for number in range(rounds):
            for busy in (False, True) if number % 2 else (True, False):
                with running(raw, folder / f"{number} {busy}", port, busy) as ways:
                    for name, way in ways.items():
                        turns[name].append(ask(sender, way, turn_s))
    return figures(turns)


_TURNS = ("direct", "proxy", "direct compacting", "proxy compacting")


@contextmanager
def running(
    raw: LabFolder, folder: Path, port: int, busy: bool
) -> Iterator[dict[str, Gateway]]:
    """Both ways to the provider; where it is busy, the proxy compacts all the while."""
    lab = LabFolder.create(folder / "lab")
    if busy:
        shutil.copytree(raw.day(DAY), lab.day(DAY), copy_function=os.link)
    with ours(port, folder) as proxy, helper("load") as load:
        ask(Sender(load), proxy, 0.5)  # after its first event it compacts, if it has to
        if busy:
            wait_until(lambda: any(lab.journal.glob("*.compact/*.parquet")))
        suffix = " compacting" if busy else ""
        yield {f"direct{suffix}": Gateway(port), f"proxy{suffix}": proxy}
        going_on = any(lab.journal.glob("*.compact"))
        assert going_on == busy, "compaction was over too soon: more --rows"
    shutil.rmtree(folder)


def wait_until(holds: Callable[[], bool]) -> None:
    """Or give up after half a minute."""
    deadline_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline_s, "nothing was merged"
        time.sleep(0.05)


def ask(sender: Sender, way: Gateway, seconds: float) -> list[float]:
    """Chats over one connection, one after another; ms each."""
    request = way.request(stream=False)
    job = Job(port=way.port, request=request, connections=1, seconds=seconds)
    load = sender.send(job)
    assert not load.errors
    return load.total_ms


def figures(turns: dict[str, list[list[float]]]) -> dict[str, object]:
    """Of the turns' quantiles the median."""
    found: dict[str, object] = {n: sum(map(len, t)) for n, t in turns.items()}
    for share in (0.5, 0.99):
        mid = {
            name: median(quantile(turn, share) for turn in of_name)
            for name, of_name in turns.items()
        }
        without = mid["proxy"] - mid["direct"]
        busy = mid["proxy compacting"] - mid["direct compacting"]
        found |= {
            f"p{share * 100:g}_ms": mid,
            f"p{share * 100:g}_ms_of_turns": {
                name: [round(quantile(turn, share), 3) for turn in of_name]
                for name, of_name in turns.items()
            },
            f"added_p{share * 100:g}_ms": {"without": without, "compacting": busy},
            f"added_p{share * 100:g}_ratio": busy / without,
        }
    return found


def event_us() -> dict[str, float]:
    """Processor time of this process for one event, less what pacing itself takes."""
    rows = make_rows(PUT_EVENTS, seed=1)
    events = [Event(**row) for row in rows.iter_rows(named=True)]
    with tempfile.TemporaryDirectory() as temporary:
        outbox = Outbox(LabFolder.create(Path(temporary) / "lab"), PUT_EVENTS)
        idle_s = paced(events, lambda event: None)
        outbox.start()
        busy_s = paced(events, outbox.ended)
        written = outbox.counts()
        outbox.stop()
    assert written.dropped == 0
    encoder = msgspec.msgpack.Encoder()
    start_s = time.process_time()
    encoder.encode(events)
    encode_s = time.process_time() - start_s
    return {
        "event_cpu_us": (busy_s - idle_s) / len(events) * 1e6,
        "of_this_encode_us": encode_s / len(events) * 1e6,
        "events": len(events),
        "events_per_s": PUT_PER_S,
    }


def paced(events: list[Event], take: Callable[[Event], object]) -> float:
    """Hand events over at PUT_PER_S; processor seconds until all had time to be written."""
    start_s = time.process_time()
    per_step = int(PUT_PER_S * _PACE_S)
    for at in range(0, len(events), per_step):
        for event in events[at : at + per_step]:
            take(event)
        time.sleep(_PACE_S)
    time.sleep(1.5)
    return time.process_time() - start_s


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000, help="to compact")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--turn", type=float, default=4.0, help="seconds")
    asked = parser.parse_args()
    print(json.dumps({"event": event_us()}, indent=2))
    sys.stdout.flush()
    found = stall(asked.rows, asked.rounds, asked.turn)
    print(json.dumps({"stall": found}, indent=2))


if __name__ == "__main__":
    main()

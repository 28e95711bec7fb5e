"""Real processes on one prefix, killed at random, over a network with faults.

    python tests/shipping_runs.py --runs 20 > data/shipping_runs.md

Three labs are written to, sealed, compacted and shipped, and their prefix compacted and
swept, each by processes of their own, several at a time. They are killed with SIGKILL,
and a quarter of what they ask of an S3 server on loopback (moto) goes wrong. At the end
all come to their end once, without faults: the prefix has the rows of the labs.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import polars as pl
from polars.testing import assert_frame_equal
from shipped_lab import BUCKET, KEYS, add_part, events, s3_server

from lectr_lab.core.errors import LabError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.log.upkeep.compact import compact as compact_lab
from lectr_lab.shipping import ship as shipping
from lectr_lab.shipping.places import place
from lectr_lab.shipping.protocol import counted
from lectr_lab.shipping.remote import scan_remote
from lectr_lab.shipping.stores import opened

TESTS = Path(__file__).parent
LABS, DAYS, AT_WORK = 3, 2, 3
TODAY = date(2026, 12, 1)
ENVIRON = KEYS | {"AWS_REGION": "us-east-1"}


class Run(NamedTuple):
    """What one run did, and whether the prefix has the rows of the labs."""

    seed: int
    kills: int
    faults: dict[str, int]
    requests: int
    rows: int
    found: int
    objects: int
    same: bool


def run(seed: int, seconds: float, share: float, upstream: str, root: Path) -> Run:
    """One run; see the module."""
    rng, url = random.Random(seed), f"s3://{BUCKET}/run-{seed}"
    labs = [LabFolder.create(root / f"lab-{n}") for n in range(LABS)]
    for number, lab in enumerate(labs):
        shipping.begin(lab, url)
        _write(lab, rng, number)
    jobs = [["ship", str(lab.root)] for lab in labs] * 2
    jobs += [["compact", ""], ["sweep", ""]] * 2
    jobs += [["keep", str(labs[0].root)]]
    kills, live = 0, []
    with _faulty(upstream, seed, share) as (at, did):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            live = [process for process in live if process.poll() is None]
            while len(live) < AT_WORK:
                live.append(_start([*rng.choice(jobs), url, "endless"], at))
            time.sleep(rng.uniform(0.2, 1.2))
            one = rng.choice(live)
            if one.poll() is None and rng.random() < 0.25:
                one.kill()
                kills += 1
            if rng.random() < 0.5:
                number = rng.randrange(LABS)
                _write(labs[number], rng, number)
        for process in live:
            process.kill()
            process.wait()
    for job in [*jobs[:LABS], ["compact", ""], ["sweep", ""]]:
        assert _start([*job, url, "once"], upstream).wait(300) == 0
    local = pl.concat(scan(lab.root).collect() for lab in labs).sort("event_id")
    environ = ENVIRON | {"AWS_ENDPOINT_URL": upstream}
    there = scan_remote(url, environ=environ).collect().sort("event_id")
    faults = {name: n for name, n in did.items() if name != "none"}
    objects = len(counted(opened(place(url, environ))))
    counts = (sum(did.values()), local.height, there.height, objects)
    return Run(seed, kills, faults, *counts, _same(local, there))


def _same(local: pl.DataFrame, there: pl.DataFrame) -> bool:
    try:
        assert_frame_equal(local, there)
    except AssertionError:
        return False
    return local["event_id"].n_unique() == local.height


def _write(lab: LabFolder, rng: random.Random, number: int) -> None:
    first = (len(list(lab.state.glob("made.*"))) * LABS + number) * 1_000
    (lab.state / f"made.{first}").touch()
    for day in range(DAYS):
        add_part(lab, events(first, rng.randint(50, 900), day))


@contextlib.contextmanager
def _faulty(
    upstream: str, seed: int, share: float
) -> Iterator[tuple[str, dict[str, int]]]:
    port, did = str(urlsplit(upstream).port), {}
    process = subprocess.Popen(
        [sys.executable, TESTS / "faulty_store.py", port, str(seed), str(share)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", did
    finally:
        process.terminate()
        did |= json.loads(process.communicate(timeout=60)[0])


def _start(job: list[str], at: str) -> "subprocess.Popen[bytes]":
    environ = os.environ | ENVIRON | {"AWS_ENDPOINT_URL": at}
    return subprocess.Popen(
        [sys.executable, __file__, "--job", *job],
        env=environ,
        stderr=subprocess.DEVNULL,
    )


def work(what: str, folder: str, url: str, how_often: str) -> None:
    """One process: it works until it is killed, or until its work is done once; however
    often the store fails meanwhile."""
    store = opened(place(url, os.environ))
    lab = LabFolder(Path(folder))
    while True:
        try:
            if what == "ship":
                shipping.ship(lab, store)
            elif what == "keep":
                compact_lab(lab, today=TODAY)
            elif what == "compact":
                shipping.compact(store, TODAY)
            else:
                shipping.sweep_all(store, datetime.now(UTC), timedelta(0))
        except (LabError, FileNotFoundError):
            continue
        if how_often == "once":
            return
        time.sleep(0.05)


def markdown(runs: list[Run], seconds: float, share: float) -> str:
    """The runs as a document."""
    rows = "\n".join(
        f"| {r.seed} | {r.kills} | {r.requests:,} | {sum(r.faults.values())} "
        f"| {r.rows:,} | {r.found:,} | {r.objects} | {'yes' if r.same else '**no**'} |"
        for r in runs
    )
    kinds = ", ".join(
        f"{kind} {sum(r.faults.get(kind, 0) for r in runs)}"
        for kind in sorted({kind for r in runs for kind in r.faults})
    )
    well = sum(r.same for r in runs)
    return f"""\
# Shipping under kills and faults

Written by `python tests/shipping_runs.py --runs {len(runs)} --seconds {seconds:g}
--share {share:g}` on {datetime.now(UTC):%Y-%m-%d}. Three labs are written to, sealed,
compacted and shipped to one prefix, which is compacted and swept, all by processes of
their own that are killed with SIGKILL; a share of {share:.0%} of what they ask of an S3
server on loopback (moto) goes wrong. "same": every row of the labs is in the prefix once,
all columns equal.

**{well} of {len(runs)} runs: nothing lost, nothing doubled.** {sum(r.kills for r in runs)} kills;
faults: {kinds}.

| run | kills | requests | of them faulty | rows in the labs | rows in the prefix | objects | same |
|---|---|---|---|---|---|---|---|
{rows}

S3 is the server above and its kin by their documentation; Google's and Azure's stores
are reached by the same library and have not been tried.
"""


def main() -> None:
    """Runs, and prints the document; exit code 1 where a row was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--share", type=float, default=0.25)
    parser.add_argument("--job", nargs=4, default=None)
    asked = parser.parse_args()
    if asked.job:
        work(*asked.job)
        return
    runs = []
    with s3_server() as url, tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.runs):
            root = Path(folder) / str(seed)
            runs.append(run(seed, asked.seconds, asked.share, url, root))
            print(runs[-1], file=sys.stderr, flush=True)
    print(markdown(runs, asked.seconds, asked.share), end="")
    sys.exit(not all(one.same for one in runs))


if __name__ == "__main__":
    main()

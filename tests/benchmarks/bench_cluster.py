"""What counting days costs on a cluster, beside one process: `lectr.cluster`.

    python tests/benchmarks/bench_cluster.py YEAR [days, default 30]

YEAR is a lab folder of closed days, a part each, as `made_up_year.py` makes them; its
first days are linked into a lab of their own without cells, once for each way. Processor
seconds are those of all processes that take part: those that are up already, as a
cluster is, and what it takes to start them beside it. Memory is the most that one worker
had to itself (RssAnon, looked at 20 times a second).
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
from distributed import Client

import lectr_lab as lectr
from lectr_lab.analysis.cells.kept import count_closed
from lectr_lab.bench.process import family
from lectr_lab.log.folder import LabFolder

WAYS = ("serial", "pool", "dask")
WORKERS = 2
_LOOK_S = 0.05
_UP_S = 60.0
_END_S = 20.0  # a worker whose scheduler went first may wait for it
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def linked(year: Path, days: int, lab: Path) -> int:
    """A lab of the first days of a log, by links; how many rows it has."""
    for day in sorted((year / "log").iterdir())[:days]:
        folder = lab / "log" / day.name
        folder.mkdir(parents=True)
        for part in day.glob("*.parquet"):
            (folder / part.name).hardlink_to(part)
    parts = [*lab.glob("log/*/*.parquet")]
    return int(pl.scan_parquet(parts).select(pl.len()).collect().item())


def measured(way: str, lab: Path) -> dict[str, Any]:
    """Days counted in one way, by processes of their own: `cpu` and `start` seconds, the
    `mib` of a worker, the `digest` of a view."""
    command = [sys.executable, __file__, "--one", way, str(lab)]
    threads = os.environ | {"POLARS_MAX_THREADS": "1"}
    env = dict(os.environ) if way == "serial" else threads
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        return {"failed": done.stderr.strip()[-300:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _cpu_s(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) * _TICK_S


def _anonymous_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(s.split()[1]) / 1024 for s in lines if s.startswith("RssAnon"))


@contextmanager
def _pool() -> Iterator[Executor]:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawn) as pool:
        yield pool


@contextmanager
def _dask() -> Iterator[str]:
    """The address of a scheduler with its workers, each a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "scheduler.json"
        dask = [sys.executable, "-m", "dask"]
        told = ["--scheduler-file", str(file), "--no-dashboard"]
        first = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *told]
        own = ["--nthreads", "1", "--no-nanny", "--local-directory", scratch]
        started = [_quietly(first)]
        try:
            _until(lambda: file.exists() and file.read_text())
            worker = [*dask, "worker", *told, *own]
            started += [_quietly(worker) for _ in range(WORKERS)]
            address = json.loads(file.read_text())["address"]
            with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
                client.wait_for_workers(WORKERS, timeout=_UP_S)  # type: ignore[no-untyped-call]
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                try:
                    process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _quietly(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _until(there: Any) -> None:
    end = time.monotonic() + _UP_S
    while not there():
        if time.monotonic() > end:
            raise SystemExit("the cluster did not start")
        time.sleep(_LOOK_S)


def _warm(executor: Executor) -> None:
    """Every worker is there, and has loaded what counts."""
    _until(lambda: len({*executor.map(_who, range(4 * WORKERS))}) == WORKERS)


def _who(_: int) -> int:
    import_module(count_closed.__module__)
    time.sleep(_LOOK_S)
    return os.getpid()


def _one(way: str, lab: Path) -> dict[str, Any]:
    (lab / "state").mkdir()  # which remembers that the parts can be read
    lectr.scan(lab)
    if way == "serial":
        return _counted(lab)
    with _pool() if way == "pool" else _dask() as on, lectr.cluster(on) as executor:
        _warm(executor)
        return _counted(lab)


def _counted(lab: Path) -> dict[str, Any]:
    """What counting took from here on, of all processes."""
    pids = family(os.getpid())
    workers = [pid for pid in pids if pid != os.getpid()] or pids
    before = {pid: _cpu_s(pid) for pid in pids}
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(_LOOK_S):
            peak[0] = max(peak[0], *map(_anonymous_mib, workers))

    watcher = threading.Thread(target=watch)
    watcher.start()
    count_closed(LabFolder(lab))
    stop.set()
    watcher.join()
    cpu = sum(_cpu_s(pid) - before[pid] for pid in pids)
    spend = lectr.spend(lectr.scan(lab), ["feature", "model"]).sort(pl.all()).collect()
    digest = hashlib.sha256(spend.write_json().encode()).hexdigest()
    start = sum(before.values())
    return {"cpu": cpu, "start": start, "mib": peak[0], "digest": digest[:12]}


def table(year: Path, days: int) -> tuple[list[str], dict[str, Any]]:
    """The lines of a table, and what was measured."""
    lines, found = [], {}
    for way in WAYS:
        with tempfile.TemporaryDirectory(dir=year.parent) as scratch:
            found["rows"] = linked(year, days, Path(scratch))
            one = found[way] = measured(way, Path(scratch))
        said = one.get("failed")
        if said is None:
            ratio = one["cpu"] / found["serial"]["cpu"]
            said = f"{one['cpu']:.1f} | {ratio:.2f} | {one['start']:.1f} | "
            said += f"{one['mib']:,.0f} | {one['digest']}"
        lines.append(f"| {way} | {said} |")
    return lines, found


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        sys.stdout.write(json.dumps(_one(sys.argv[2], Path(sys.argv[3]))) + "\n")
    else:
        asked = int(sys.argv[2]) if sys.argv[2:] else 30
        shown, of = table(Path(sys.argv[1]), asked)
        sys.stdout.write(f"{of['rows']:,} rows of {asked} days, {WORKERS} workers\n\n")
        sys.stdout.write(
            "| way | CPU s | of serial | CPU s to start | MiB | digest |\n"
        )
        sys.stdout.write("|---|---|---|---|---|---|\n" + "\n".join(shown) + "\n")

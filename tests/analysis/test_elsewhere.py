"""Where days of a log are looked at: the same figures here and on other processes."""

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import polars as pl
import pytest
from distributed import Client

import lectr_lab as lectr
from lectr_lab.analysis import elsewhere
from lectr_lab.core.errors import LabError
from lectr_lab.log.schema import file_metadata, polars_schema

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def lab(tmp_path):
    """The made-up traffic as a lab has it, a file a day: nothing of it is counted."""
    days = lectr.demo_log().select(polars_schema().names()).collect()
    for (day,), of_day in days.group_by(pl.col("started_at").dt.date()):
        folder = tmp_path / "lab" / "log" / f"date={day}"
        folder.mkdir(parents=True)
        of_day.write_parquet(folder / f"{'0' * 32}.parquet", metadata=file_metadata())
    return tmp_path / "lab"


def figures(lab):
    """What views say, and how many rows each day has."""
    log = lectr.scan(lab)
    said = [
        lectr.spend(log, by=["feature", "model"]).sort(pl.all()).collect(),
        lectr.errors(log, by="provider").collect(),
    ]
    return [frame.write_json() for frame in said], log.map(rows)


def rows(day):
    return day.select(pl.len()).collect().item()


def alone(lab):
    found = figures(lab)
    shutil.rmtree(lab / "cells")
    return found


def test_threads_and_processes_find_what_one_finds(lab):
    """Any executor of the standard library, one that starts Python anew included."""
    wanted = alone(lab)
    spawn = multiprocessing.get_context("spawn")
    for some in (ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=spawn)):
        with some, lectr.cluster(some):
            assert figures(lab) == wanted
        assert len(list(lab.glob("cells/facts/*/*.sums.*"))) > 1
        shutil.rmtree(lab / "cells")


def test_a_cluster_ends_with_its_block(lab):
    """What comes after is done here; an executor that was given goes on."""
    with ThreadPoolExecutor(1) as one:
        with lectr.cluster(one) as given:
            assert elsewhere.is_elsewhere() and given is one
        assert not elsewhere.is_elsewhere()
        assert one.submit(len, "ab").result() == 2


def test_whoever_counts_otherwise_is_refused(monkeypatch):
    """Before the first task, with the name of what differs."""
    with ThreadPoolExecutor(1) as one:
        theirs = one.submit(elsewhere.versions).result() | {"polars": "0.1"}
        calls = iter([theirs])
        monkeypatch.setattr(
            elsewhere, "versions", lambda own=elsewhere.versions: next(calls, own())
        )
        refused = pytest.raises(LabError, match=r"polars 0\.1.* Install the same")
        with refused, lectr.cluster(one):
            pass


def test_no_scheduler_is_said_with_what_to_start():
    """In the time that a connection may take, and no traceback of another library."""
    said = pytest.raises(LabError, match=r"no Dask scheduler .*`dask scheduler`")
    with socket.socket() as deaf:  # bound, and listens to nobody
        deaf.bind(("127.0.0.1", 0))
        with said, lectr.cluster(f"tcp://127.0.0.1:{deaf.getsockname()[1]}"):
            pass


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_nothing(lab, tmp_path):
    """A scheduler and two workers of Dask, one of which dies in the midst of a query."""
    wanted = alone(lab)
    with dask(2, tmp_path) as (address, workers), lectr.cluster(address):
        assert figures(lab) == wanted
        shutil.rmtree(lab / "cells")
        log = lectr.scan(lab)
        first = workers[0].pid

        def slow(day):
            if os.getpid() == first:
                os.kill(first, signal.SIGKILL)
            time.sleep(0.05)
            return day.select(pl.len()).collect().item()

        assert log.map(slow) == wanted[1]
        assert workers[0].wait(30) == -signal.SIGKILL
        assert figures(lab) == wanted


@pytest.mark.slow
def test_a_scheduler_without_workers_is_said(tmp_path):
    """Nothing would ever be answered."""
    refused = pytest.raises(LabError, match="no worker")
    with dask(0, tmp_path) as (address, _), refused, lectr.cluster(address):
        pass


@contextmanager
def dask(n, folder):
    """A scheduler and its workers, a process each; its address and the workers."""
    told, end = folder / "scheduler.json", time.monotonic() + 90
    env = os.environ | {"POLARS_MAX_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    here = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(told)]
    of_worker = ["--nthreads", "1", "--no-nanny", "--memory-limit", "0"]
    command = [sys.executable, "-m", "dask"]
    started = [subprocess.Popen([*command, "scheduler", *here, "--port", "0"], **quiet)]
    try:
        while not told.exists() or not told.read_text():
            assert time.monotonic() < end, "the scheduler did not start"
            time.sleep(0.1)
        for _ in range(n):
            one = [*command, "worker", *here, *of_worker]
            started.append(subprocess.Popen(one, **quiet))
        address = json.loads(told.read_text())["address"]
        with Client(address, timeout=30, set_as_default=False) as client:
            if n:
                client.wait_for_workers(n, timeout=60)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)

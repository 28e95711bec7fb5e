"""kill -9 of real proxies under load: what was acknowledged a second ago is a row."""

import http.client
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import losses
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.log.seal import seal
from lectr_lab.log.upkeep.compact import compact
from lectr_lab.log.upkeep.doctor import examine

PROXIES = 4  # at once, on one folder
KILLS = int(os.environ.get("LECTR_KILLS", "32"))  # 400 for a long look
SESSION = Session("lc_key_of-a-session")
BODY = b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}'


class Sent(NamedTuple):
    """What one proxy answered before it was killed: features, by how safe they are."""

    durable: list[str]  # answered more than a second before the end
    recent: list[str]  # answered, or at least asked


@pytest.fixture
def upstream() -> Iterator[str]:
    """A provider in a process of its own."""
    command = [sys.executable, "-m", "lectr_lab.bench.instant_provider"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.stdin.close()


def live_and_die(order: Order, name: str, lives_s: float) -> Sent:
    """Start a proxy, keep it busy, kill it in the middle of that."""
    child = Child(order)
    process = child._process
    answered: dict[str, float] = {}
    killed_s: list[float] = []

    def kill() -> None:
        killed_s.append(time.monotonic())
        process.kill()

    timer = threading.Timer(lives_s, kill)
    timer.start()
    asked = ask_until_it_dies(child.base_url, name, answered)
    timer.join()
    process.wait()
    child.stop()
    durable = [f for f, at_s in answered.items() if killed_s[0] - at_s > 1]
    return Sent(durable, sorted({*answered, asked} - set(durable)))


def ask_until_it_dies(base_url: str, name: str, answered: dict[str, float]) -> str:
    """The last feature asked for, which may have been answered or not."""
    connection = http.client.HTTPConnection(base_url.removeprefix("http://"))
    headers = {"X-Lectr-Key": SESSION.key, "Content-Type": "application/json"}
    while True:
        feature = f"{name}-{len(answered)}"
        tagged = headers | {"X-Lectr-Feature": feature}
        try:
            connection.request("POST", "/v1/chat/completions", BODY, tagged)
            reply = connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return feature
        assert reply.status == 200
        answered[feature] = time.monotonic()


def settled(lab: LabFolder) -> None:
    """Every segment sealed, also those that orphaned sealers are at work on."""
    ends = time.monotonic() + 20
    while lab.segments() and time.monotonic() < ends:
        seal(lab)
        time.sleep(0.05)


@pytest.mark.slow
def test_what_was_acknowledged_a_second_ago_is_a_row(tmp_path, upstream):
    """Four proxies on one folder, killed at random moments and started again."""
    lab = LabFolder.create(tmp_path / "lab")
    settings = Settings(lab=str(lab.root), port=0, upstream=upstream)
    order = Order(settings=settings, session=SESSION)
    chance = random.Random(4)
    lives = [(f"life{i}", chance.uniform(1.1, 2.2)) for i in range(KILLS)]

    with ThreadPoolExecutor(PROXIES) as pool:
        sent = list(pool.map(lambda life: live_and_die(order, *life), lives))

    durable = {feature for one in sent for feature in one.durable}
    recent = {feature for one in sent for feature in one.recent}
    check(lab, durable, recent)
    settled(lab)
    check(lab, durable, recent)
    compact(lab, today=date(2100, 1, 1))
    check(lab, durable, recent)
    assert pl.read_parquet(lab.log).height == scanned(lab).height
    assert len(durable) > KILLS  # it was busy
    assert losses(lab).unread.batches <= KILLS  # each fell into one write at most
    torn = {"set aside", "losses"}  # a write that a kill fell into
    assert [f for f in examine(lab) if f.kind not in torn] == []


def check(lab: LabFolder, durable: set[str], recent: set[str]) -> None:
    """N requests are N rows; no id and no request is there twice."""
    rows = scanned(lab)
    there = set(rows["feature"])

    assert durable - there == set()
    assert there - durable - recent == set()
    assert rows.height == len(there) == rows["event_id"].n_unique()


def scanned(lab: LabFolder) -> pl.DataFrame:
    """All rows. A kill that falls into a write costs that write, which is younger than
    a second, and is said; nothing else is."""
    with warnings.catch_warnings():
        torn = r".*: (1 batch|\d+ batches) \(.*\) could not be read"
        warnings.filterwarnings("ignore", torn, LogWarning)
        return scan(lab.root).select("event_id", "feature").collect()


@pytest.mark.slow
def test_events_are_visible_within_two_seconds(tmp_path, upstream):
    """While the proxy runs."""
    lab = LabFolder.create(tmp_path / "lab")
    settings = Settings(lab=str(lab.root), port=0, upstream=upstream)
    child = Child(Order(settings=settings, session=SESSION))
    try:
        waits_s = [wait_for_a_row(child.base_url, lab.root, n) for n in range(1, 6)]
    finally:
        child.stop()

    assert max(waits_s) < 2


def wait_for_a_row(base_url: str, lab: Path, rows: int) -> float:
    connection = http.client.HTTPConnection(base_url.removeprefix("http://"))
    connection.request(
        "POST", "/v1/chat/completions", BODY, {"X-Lectr-Key": SESSION.key}
    )
    connection.getresponse().read()
    connection.close()
    start = time.monotonic()
    while scan(lab).collect().height < rows and time.monotonic() - start < 5:
        time.sleep(0.02)
    return time.monotonic() - start

"""Requests a minute, over processes."""

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest
from cpu_time import cpu_s
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.shared import ring as ring_module
from lectr_lab.proxy.shared.ring import Ring

HAMMER = """
import json, sys, time
from pathlib import Path
from lectr_lab.proxy.shared.ring import Ring
ring = Ring(Path(sys.argv[1]), int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
admitted = sum(ring.admit() is None for _ in range(int(sys.argv[3])))
print(json.dumps([admitted, ring.owed]), flush=True)
"""


@pytest.fixture
def folder():
    """One that is gone after the test."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@given(
    limits=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 120).map(lambda n: n / 4)),
        max_size=60,
    ),
)
def test_no_minute_holds_more_than_the_limit(limits, steps):
    """Whoever admits, with limits that differ: none admits more than its own; and who
    waits as long as told is admitted."""
    now_s = 1000.0
    with tempfile.TemporaryDirectory() as name:
        rings = [Ring(Path(name) / "a", limit, lambda: now_s) for limit in limits]
        admitted_s: list[float] = []
        for which, wait_s in steps:
            now_s += wait_s
            at = which % len(rings)
            wait_for_s = rings[at].admit()
            if wait_for_s is not None:
                assert 0 < wait_for_s <= 60
                now_s += wait_for_s
                assert rings[at].admit() is None
            admitted_s.append(now_s)
            within = [s for s in admitted_s if now_s - s < 60]
            assert len(within) <= limits[at]
        for ring in rings:
            ring.close()


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_hammer_admit_the_limit_and_no_more(
    run_python, folder, processes
):
    """Exactly: each tries more often than all of them may."""
    running = [run_python(HAMMER, folder / "a", 2_000, 4_000) for _ in range(processes)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [json.loads(process.stdout.readline()) for process in running]

    assert sum(owed for _, owed in told) == 0
    assert sum(admitted for admitted, _ in told) == 2_000


def test_a_process_killed_at_any_time_spoils_nothing(run_python, folder):
    """It has the lock, or is in between: the others count on, never more than the
    limit."""
    for _ in range(5):
        process = run_python(HAMMER, folder / "a", 1_000_000, 1_000_000)
        process.stdout.readline()
        process.stdin.write("go\n")
        process.stdin.flush()
        ring = Ring(folder / "a", 1_000_000)
        before = [ring.admit() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert [ring.admit() for _ in range(200)] == before == [None] * 200
        ring.close()


def test_a_file_that_was_cut_off_or_removed_is_made_anew(folder, monkeypatch):
    """Nothing is refused for it, and nothing raised; a strange one is overwritten."""
    monkeypatch.setattr(ring_module, "_LOOK_EVERY_S", 0.0)
    path, ring = folder / "a", Ring(folder / "a", 2)
    assert ring.admit() is None
    for size in (0, 10, 24, 30):
        os.truncate(path, size)
        assert ring.admit() is None
    path.write_bytes(b"something else, of some length")
    assert ring.admit() is None
    path.unlink()
    ring.admit()

    other = Ring(path, 2)
    assert [other.admit(), ring.admit(), other.admit() is None] == [None, None, False]


def test_a_time_of_before_the_machine_started_refuses_nobody(folder):
    """Its clock begins anew then."""
    late, early = (Ring(folder / "a", 1, lambda s=s: s) for s in (1e6, 5.0))

    assert late.admit() is None
    assert early.admit() is None
    assert early.admit() is not None


def test_what_was_admitted_past_a_lock_is_counted_later(folder, monkeypatch):
    """So that who sits on the lock does not lift the limit."""
    ring, held = Ring(folder / "a", 3), Ring(folder / "a", 3)
    assert held._lock.take()
    monkeypatch.setattr("lectr_lab.proxy.shared.brief_lock.MOST_S", 0.002)
    assert [ring.admit(), ring.admit()] == [None, None]
    assert ring.owed == 2
    held._lock.give_back()

    assert ring.admit() is None
    assert ring.owed == 0
    assert held.admit() is not None


def test_an_admission_takes_microseconds(folder):
    """Five on a quiet machine; four times that here, of processor time."""
    ring = Ring(folder / "a", 1_000_000)

    def admit() -> None:
        for _ in range(5_000):
            ring.admit()

    assert cpu_s(admit) / 5_000 < 20e-6

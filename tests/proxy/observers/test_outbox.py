"""The queue between requests and the disk."""

import errno
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from functools import partial

import pytest
from msgspec.structs import replace

from lectr_lab.core.event import Event
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.losses import note_parts, noted_losses
from lectr_lab.log.scan import LogWarning, scan
from lectr_lab.proxy.observers.outbox import Outbox


def event(number: int) -> Event:
    return Event(
        event_id=number.to_bytes(16),
        started_at=datetime(2020, 1, 1, tzinfo=UTC),
        org="acme",
        path="/v1/chat/completions",
        operation="chat",
        outcome="ok",
        total_ms=1.0,
    )


@pytest.fixture
def lab(tmp_path):
    return LabFolder.create(tmp_path / "lab")


def test_every_event_put_is_in_the_log_after_stop(lab):
    """And in Parquet: stop seals."""
    outbox = Outbox(lab, capacity=1000)
    outbox.start()
    for number in range(500):
        outbox.ended(event(number))
    outbox.stop()

    assert scan(lab.root).collect().height == 500
    assert list(lab.log.rglob("*.parquet"))
    assert not list(lab.journal.iterdir())
    assert outbox.counts()[:4] == (500, 500, 0, 0)


def test_an_event_is_visible_while_the_proxy_runs(lab):
    """Within two seconds, from the journal's tail."""
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    try:
        outbox.ended(event(1))
        deadline = time.monotonic() + 2
        while scan(lab.root).collect().height == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        outbox.stop()


def test_a_full_queue_drops_counts_and_says_so(lab):
    """The proxy never waits for the disk; what is lost is counted where readers look."""
    outbox = Outbox(lab, capacity=10)
    for number in range(25):
        outbox.ended(event(number))
    outbox.start()
    outbox.stop()

    counts = outbox.counts()
    assert (counts.received, counts.written, counts.dropped) == (25, 10, 15)
    assert noted_losses(lab).dropped == 15
    assert scan(lab.root).collect().height == 10


def test_writing_resumes_when_the_folder_is_back(lab):
    """A folder that goes away costs nothing while the queue has room."""
    outbox = Outbox(lab, capacity=1000)
    outbox.start()
    outbox.ended(event(1))
    while outbox.counts().written < 1:
        time.sleep(0.02)
    moved = lab.root.rename(lab.root.with_name("moved"))
    lab.root.write_text("in the way")
    outbox.ended(event(2))
    while not outbox.counts().failing:
        time.sleep(0.02)
    lab.root.unlink()
    moved.rename(lab.root)
    outbox.stop()

    assert outbox.counts().dropped == 0
    assert scan(lab.root).collect().height == 2


def test_what_the_disk_never_took_is_said_at_the_end(lab, capfd):
    """Nobody can ask /health any more, and the disk may not even take the count."""
    outbox = Outbox(lab, capacity=10)
    lab.root.rename(lab.root.with_name("moved"))
    lab.root.write_text("in the way")
    outbox.start()
    for number in range(11):
        outbox.ended(event(number))
    outbox.stop()

    assert outbox.counts().dropped == 11
    assert capfd.readouterr().err == "lectr-lab: 11 of 11 events are not in the log.\n"


@pytest.mark.parametrize("keep_all", [False, True])
def test_closed_days_are_compacted_when_idle(lab, keep_all):
    """A day's parts become one, in a process beside the proxy, as the settings say."""
    for number in (1, 2):
        outbox = Outbox(lab, capacity=10)
        outbox.start()
        # of a day that is over
        outbox.ended(replace(event(number), status=200, provider_request_id="req_1"))
        outbox.stop()
    assert len(list(lab.log.rglob("*.parquet"))) == 2

    outbox = Outbox(lab, capacity=10, keep_request_ids=keep_all)
    outbox.start()
    outbox.ended(replace(event(3), started_at=datetime.now(UTC)))
    deadline = time.monotonic() + 20
    while len(list((lab.log / "date=2020-01-01").iterdir())) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    outbox.stop()

    ids = scan(lab.root).collect()["provider_request_id"]
    assert (ids.len(), ids.count()) == (3, 2 if keep_all else 0)


def test_the_first_event_is_announced_once(lab):
    """So that `serve` can say that a request has arrived."""
    announced = []
    outbox = Outbox(lab, capacity=10, on_first=announced.append)
    outbox.start()
    outbox.ended(event(1))
    outbox.ended(event(2))
    outbox.stop()

    assert announced == [event(1)]


def test_a_system_without_processes_left_costs_no_event(lab, monkeypatch):
    """Sealing waits; writing goes on, and the start and the end are as ever."""
    left = JournalWriter(lab)  # of a process that died: start wants it sealed
    left.append([event(0)])
    left.close()
    monkeypatch.setattr(sys, "executable", str(lab.root / "removed"))
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.ended(event(1))
    outbox.stop()

    assert outbox.counts()[:4] == (1, 1, 0, 0)
    with pytest.warns(LogWarning, match="1 file could not be sealed"):
        assert scan(lab.root).collect().height == 2


def test_nobody_to_tell_of_the_first_event_costs_none(lab):
    """Its reader may have closed the terminal; the thread that writes goes on."""

    def tell(_: Event) -> None:
        raise BrokenPipeError

    outbox = Outbox(lab, capacity=10, on_first=tell)
    outbox.start()
    outbox.ended(event(1))
    while outbox.counts().written < 1:
        time.sleep(0.02)
    time.sleep(0.2)
    outbox.ended(event(2))
    outbox.stop()

    assert scan(lab.root).collect().height == 2


def test_a_fault_of_ours_is_shown_and_the_next_round_comes(lab, monkeypatch):
    """The writer thread outlives it, and what was queued is written after it."""
    outbox = Outbox(lab, capacity=10)
    faults = [ZeroDivisionError(), ZeroDivisionError()]
    append = JournalWriter.append

    def append_or_fail(writer: JournalWriter, events: list[Event]) -> None:
        if faults:
            raise faults.pop()
        append(writer, events)

    monkeypatch.setattr(JournalWriter, "append", append_or_fail)
    outbox.start()
    outbox.ended(event(1))
    while not outbox.counts().failing:
        time.sleep(0.02)
    while outbox.counts().failing:
        time.sleep(0.02)
    outbox.stop()

    assert outbox.counts()[:4] == (1, 1, 0, 0)
    assert scan(lab.root).collect().height == 1


def test_what_sealers_say_is_heard(lab, capfd):
    """What they could not read, for good; a fault of theirs, until one does well."""
    for number in (1, 2):
        left = JournalWriter(lab)  # of processes that died
        left.append([event(number)])
        left.close()
    damaged, newer = lab.segments()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    data = newer.read_bytes()
    newer.write_bytes(data[:8] + b"\x07\x07" + data[10:])
    outbox = Outbox(lab, capacity=10)

    outbox.start()
    while not outbox.counts().unsealed:
        time.sleep(0.02)
    heard = outbox.counts()
    newer.write_bytes(data)
    outbox.stop()

    assert heard.unread[2:] == (1, 0, 1)
    assert heard.unread.batches == 1
    assert "sealing the journal met a fault" in capfd.readouterr().err
    after = heard.unread._replace(unsealed=0)
    assert (outbox.counts().unread, outbox.counts().unsealed) == (after, False)
    again = Outbox(lab, capacity=10)
    again.start()
    again.stop()
    assert (again.counts().unread, again.counts().unsealed) == (after, False)


def test_a_system_without_processes_left_is_said(lab, monkeypatch):
    """The journal grows and stays the log; somebody should know."""
    monkeypatch.setattr(sys, "executable", str(lab.root / "removed"))
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.ended(event(1))
    outbox.stop()

    assert outbox.counts().unsealed


def wait_until(done) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_disk_that_does_not_sync_is_failing_until_it_does(lab, monkeypatch, capfd):
    """Events are written meanwhile; a power cut could take them, which is said."""
    module = sys.modules[Outbox.__module__]
    monkeypatch.setattr(module, "JournalWriter", partial(JournalWriter, fsync_s=0))
    real, broken = os.fdatasync, [True]

    def fdatasync(fd: int) -> None:
        if broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.ended(event(1))
    wait_until(lambda: outbox.about()["writer"] == "failing")
    warned = outbox.about()["warnings"]
    outbox.ended(event(2))
    wait_until(lambda: outbox.counts().written == 2)
    still = outbox.about()["writer"]
    broken.clear()
    outbox.ended(event(3))
    wait_until(lambda: outbox.about()["writer"] == "ok")
    outbox.stop()

    assert still == "failing"
    assert "a power cut may take it" in warned[0]
    assert capfd.readouterr().err.count("a power cut may take it") == 1
    assert outbox.about()["warnings"] == []
    assert scan(lab.root).collect().height == 3


@pytest.mark.parametrize("obeys", [True, False])
def test_the_end_does_not_wait_for_a_sealer_without_one(lab, monkeypatch, obeys):
    """It is ended, by force if need be; its segments are the next start's."""
    module = sys.modules[Outbox.__module__]
    ignore = "" if obeys else "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    code = f"import signal, time; {ignore} print(flush=True); time.sleep(600)"
    started = []

    def hang(*_: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        started.append(process)
        return process

    monkeypatch.setattr(module, "helper_process", hang)
    monkeypatch.setattr(module, "_LAST_SEAL_S", 0.2)
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.ended(event(1))
    ending = threading.Thread(target=outbox.stop)
    ending.start()
    ending.join(timeout=60)

    assert not ending.is_alive()
    assert [process.poll() is not None for process in started] == [True]
    started[0].stdout.close()
    assert noted_losses(lab).unread.unsealed == 1
    with pytest.warns(LogWarning, match="could not be sealed"):
        assert scan(lab.root).collect().height == 1


def test_state_that_others_may_write_to_is_said_at_the_start(lab, capfd):
    """On stderr and in /health."""
    lab.state.chmod(0o777)
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    outbox.stop()

    assert "make keys" in outbox.about()["warnings"][0]
    assert "make keys" in capfd.readouterr().err


def test_a_part_that_a_reader_found_bad_is_in_health(lab, monkeypatch):
    """Readers note it; the proxy looks at what is noted."""
    module = sys.modules[Outbox.__module__]
    monkeypatch.setattr(module, "_NOTES_S", 0.0)
    outbox = Outbox(lab, capacity=10)
    outbox.start()
    note_parts(lab, [lab.day(date(2026, 11, 24)) / "a.parquet"], [])
    wait_until(lambda: outbox.about()["unread"]["files"] == 1)
    outbox.stop()

    assert "1 file" in outbox.about()["warnings"][0]

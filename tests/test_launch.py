"""A lab as a process of its own."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import httpx
import msgspec
import pytest
from listening import listener

from lectr_lab.config.settings import Settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.errors import ProxyError
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.scan import scan
from lectr_lab.tape.cassette import read_cassettes
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing
from lectr_lab.tape.write import write_cassette

SESSION = Session("lc_key_of-a-session")
CHAT = b'{"model":"m","messages":[]}'
EARLY_MS = 2  # timers go by the millisecond


def order(tmp_path, **changes) -> Order:
    settings = Settings(lab=str(tmp_path / "lab"), port=0, **changes)
    return Order(settings=settings, session=SESSION)


def test_a_child_listens_and_stops(tmp_path):
    """It says where; after stop, twice, nothing is left."""
    child = Child(order(tmp_path))
    assert httpx.get(f"{child.base_url}/health").json()["status"] == "ok"
    inode = listener(child.base_url)
    assert inode

    child.stop()
    child.stop()

    assert not child.alive
    assert listener(child.base_url) != inode


def test_a_child_says_at_its_end_what_passed(tmp_path):
    """Where that was ordered, and it was not killed: the events of its own requests."""
    told = []
    for end in ("stop", "kill"):
        ordered = order(tmp_path, upstream="http://127.0.0.1:1/v1")
        child = Child(msgspec.structs.replace(ordered, tally=True))
        headers = {"X-Lectr-Key": SESSION.key}
        httpx.get(f"{child.base_url}/v1/models", headers=headers)
        if end == "kill":
            os.kill(child.pid, signal.SIGKILL)
        child.stop()
        told.append(child.passed)

    [event_id] = told[0].event_ids
    assert event_id in scan(tmp_path / "lab").collect()["event_id"].to_list()
    assert (told[0].failed, told[1].event_ids) == (1, [])


def test_a_childs_session_key_works_and_is_on_no_disk(tmp_path):
    """Handed over by pipe."""
    child = Child(order(tmp_path, upstream="http://127.0.0.1:1/v1"))
    try:
        reply = httpx.get(
            f"{child.base_url}/v1/models", headers={"X-Lectr-Key": SESSION.key}
        )
    finally:
        child.stop()

    assert reply.status_code == 503  # accepted, and nobody behind it
    files = [p for p in (tmp_path / "lab").rglob("*") if p.is_file()]
    assert not [p for p in files if SESSION.key.encode() in p.read_bytes()]


def test_a_taken_port_is_told_to_the_parent(tmp_path):
    """The child's reason is the parent's error."""
    first = Child(order(tmp_path))
    try:
        port = int(first.base_url.rpartition(":")[2])
        taken = Settings(lab=str(tmp_path / "lab"), port=port)
        with pytest.raises(ProxyError, match="Cannot listen"):
            Child(Order(settings=taken))
    finally:
        first.stop()


def test_a_child_follows_the_rules_and_says_how_it_stands_with_them(tmp_path):
    """The order names the file; the operator's keys are in the child's environment."""
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nname = "a"\npriority = 1\nthen = { model = "m" }\n')
    child = Child(order(tmp_path, rules=str(rules)))
    try:
        said = httpx.get(f"{child.base_url}/health").json()
    finally:
        child.stop()

    assert (said["rules"]["in_force"], said["rules"]["problem"]) == (1, None)
    assert said["shadows"] is None


def test_a_shadow_without_a_key_is_told_to_the_parent(tmp_path):
    """Before anything is served."""
    shadow = ShadowSettings(model="m", provider="groq", share=1.0)

    with pytest.raises(ProxyError, match=r"operator_key_env under \[providers.groq\]"):
        Child(order(tmp_path, shadow=shadow))


def test_a_child_does_not_outlive_its_parent(tmp_path):
    """Also when the parent is killed with -9."""
    code = (
        "import sys, time; from lectr_lab.launch import *; "
        f"c = Child(Order(settings=Settings(lab={str(tmp_path / 'lab')!r}, port=0))); "
        "print(c.base_url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout
    base_url = parent.stdout.readline().decode().strip()
    assert httpx.get(f"{base_url}/health").status_code == 200
    inode = listener(base_url)
    assert inode

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 10
    while listener(base_url) == inode and time.monotonic() < deadline:
        time.sleep(0.05)
    assert listener(base_url) != inode


@pytest.mark.usefixtures("usual_signals")
def test_a_closed_terminal_stops_it_as_a_signal_would(tmp_path):
    """Its last event is sealed; under nohup it goes on."""
    usual = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        ignoring = Child(order(tmp_path))
    finally:
        signal.signal(signal.SIGHUP, usual)
    child = Child(order(tmp_path))
    httpx.get(f"{child.base_url}/v1/models", headers={"X-Lectr-Key": SESSION.key})
    for one in (child, ignoring):
        os.kill(one.pid, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while child.alive and time.monotonic() < deadline:
        time.sleep(0.02)

    assert (child.alive, ignoring.alive) == (False, True)
    assert len(list(tmp_path.rglob("*.parquet"))) == 1
    for one in (child, ignoring):
        one.stop()


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """As `serve` does it, in a process of its own, with the session's key."""
    ordered = msgspec.json.encode(Order(settings=settings, session=SESSION))
    code = (
        "import msgspec; from lectr_lab.launch import Order, run; "
        f"order = msgspec.json.decode({ordered!r}, type=Order); "
        "run(order, lambda base_url: print(base_url, flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout
        yield process, process.stdout.readline().decode().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("usual_signals")
def test_what_drains_serves_and_says_that_it_is_not_ready(tmp_path):
    """From the first signal on, for `drain_s`; then it ends as without."""
    settings = Settings(lab=str(tmp_path / "lab"), port=0, drain_s=1.5)
    with serving(settings) as (process, url):
        before = httpx.get(f"{url}/readyz")
        process.terminate()
        deadline = time.monotonic() + 1
        while (during := httpx.get(f"{url}/readyz")).status_code == 200:
            assert time.monotonic() < deadline
        served = httpx.get(f"{url}/v1/models", headers={"X-Lectr-Key": SESSION.key})
        ended = process.wait(timeout=30)

    assert (before.status_code, during.status_code) == (200, 503)
    assert "told to stop" in during.json()["error"]["message"]
    assert served.json()["error"]["code"] == "missing_authorization"
    assert ended == -signal.SIGTERM
    assert scan(tmp_path / "lab").collect().height == 1


@pytest.mark.usefixtures("usual_signals")
def test_a_second_signal_ends_the_draining(tmp_path):
    """Whoever stands before the terminal need not wait."""
    settings = Settings(lab=str(tmp_path / "lab"), port=0, drain_s=600)
    with serving(settings) as (process, url):
        for _ in range(2):
            process.terminate()
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/readyz").status_code == 503:
                        break

        assert process.wait(timeout=30) == -signal.SIGTERM


@pytest.fixture
def tape(tmp_path):
    """A stream whose second half comes a while after the first."""

    def recorded(pause_ms: float) -> str:
        call = RecordedCall(
            method="POST",
            url="https://api.openai.com/v1/chat/completions",
            request_headers=(),
            request_body=CHAT,
            status=200,
            response_headers=((b"content-type", b"text/event-stream"),),
            chunks=(b"data: {}\n\n", b"data: [DONE]\n\n"),
        )
        chunks = ((10, 100.0), (14, 100.0 + pause_ms))
        write_cassette(
            tmp_path / "tape.yaml",
            [(call, Timing(started_ms=0, head_ms=50.0, chunks=chunks))],
        )
        return f"tape:{tmp_path / 'tape.yaml'}"

    return recorded


def ask(child: Child) -> AbstractContextManager[httpx.Response]:
    return httpx.stream(
        "POST",
        f"{child.base_url}/v1/chat/completions",
        content=CHAT,
        headers={"X-Lectr-Key": SESSION.key},
        trust_env=False,
    )


def test_a_tape_plays_in_its_own_time(tmp_path, tape):
    """Nothing comes sooner than it did, for the client and in the log; no key is asked."""
    child = Child(order(tmp_path, upstream=tape(pause_ms=200)))
    try:
        began_s = time.perf_counter()
        with ask(child) as reply:
            head_ms = 1000 * (time.perf_counter() - began_s)
            chunks = [(c, time.perf_counter() - began_s) for c in reply.iter_raw()]
    finally:
        child.stop()

    [event] = scan(tmp_path / "lab").collect().iter_rows(named=True)
    assert [data for data, _ in chunks] == [b"data: {}\n\n", b"data: [DONE]\n\n"]
    assert head_ms >= 50 - EARLY_MS
    assert chunks[0][1] * 1000 >= 100 - EARLY_MS
    assert chunks[1][1] * 1000 >= 300 - EARLY_MS
    assert event["ttfb_ms"] >= 50 - EARLY_MS
    assert event["total_ms"] >= 300 - EARLY_MS


def test_who_leaves_a_tape_is_not_waited_for(tmp_path, tape):
    """The rest of the recording takes a minute; the proxy ends without it."""
    child = Child(order(tmp_path, upstream=tape(pause_ms=60_000)))
    try:
        with ask(child) as reply:
            assert next(reply.iter_raw()) == b"data: {}\n\n"
        began_s = time.monotonic()
    finally:
        child.stop()

    [event] = scan(tmp_path / "lab").collect().iter_rows(named=True)
    assert event["outcome"] == "client_disconnect"
    assert time.monotonic() - began_s < 20


def test_what_a_tape_plays_can_be_recorded(tmp_path, tape):
    """At the speed of the order: the new cassette has the times of this run."""
    wishes = order(tmp_path, upstream=tape(pause_ms=60_000))
    again = str(tmp_path / "again.yaml")
    child = Child(msgspec.structs.replace(wishes, record=again, tape_speed=0.0))
    try:
        with ask(child) as reply:
            body = b"".join(reply.iter_raw())
    finally:
        child.stop()

    [old], [new] = (read_cassettes(tmp_path / n) for n in ("tape.yaml", "again.yaml"))
    assert new.body == old.body == body
    assert new.chunks[-1].at_ms < old.chunks[-1].at_ms


def test_nothing_asked_is_nothing_recorded(tmp_path):
    """An older cassette stays."""
    old = tmp_path / "old.yaml"
    old.write_text("mine")

    Child(msgspec.structs.replace(order(tmp_path), record=str(old))).stop()

    assert old.read_text() == "mine"


def test_a_missing_cassette_is_told_to_the_parent(tmp_path):
    """Before anything is served."""
    with pytest.raises(ProxyError, match="no cassette at"):
        Child(order(tmp_path, upstream=f"tape:{tmp_path / 'none.yaml'}"))


def test_a_shells_limit_on_files_is_not_the_proxys(tmp_path):
    """Twice as many connections as it allows are open, and one more is served."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, usual[1]))
    try:
        child = Child(order(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    try:
        port = int(child.base_url.rpartition(":")[2])
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        said = httpx.get(f"{child.base_url}/health", timeout=5).json()
        for sock in waiting:
            sock.close()
    finally:
        child.stop()

    assert said["status"] == "ok"


def test_what_a_proxy_is_told_shows_no_key():
    """The session and the order that holds it, however they are shown; nor the password
    of a proxy on the way."""
    settings = Settings(http_proxy="http://me:hidden@localhost:3128")
    for told in (SESSION, Order(settings=settings, session=SESSION)):
        for shown in (
            repr(told),
            str(told),
            f"{told}",
            repr([told]),
            repr({"a": told}),
        ):
            assert SESSION.key not in shown and "hidden" not in shown
            assert "Session(key='lc_key_…', org='local')" in shown

"""Two workers are one proxy: one port, one log, one set of limits."""

import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from listening import listener
from prefix_bodies import body

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError, ProxyError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.serving import serving
from lectr_lab.workers.supervise import _changed, _how, supervise

pytestmark = pytest.mark.slow  # a proxy of three processes each

TALK = ("Read the file", "I did", "Now write it", "Done", "Thanks")


def test_two_workers_are_one_proxy(start):
    """One log, one health, one end: rows are the replies, whoever answered; nothing is
    left of it."""
    served = start()
    pids = served.pids()
    assert len(pids) == 2
    assert served.process.pid not in pids
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: served.ask().status_code, range(60)))
    assert Counter(replies) == {200: 60}

    health = served.health()
    assert sum(one["events"]["received"] for one in health["workers"]) == 60
    assert all(one["events"]["received"] for one in health["workers"])
    assert health["events"]["received"] == 60
    assert {served.health()["instance"] for _ in range(8)} == {health["instance"]}
    [found] = serving(LabFolder(served.lab))
    assert (found.pid, found.instance) == (served.process.pid, health["instance"])
    served.until(lambda: len(served.rows()) == 60, "rows are missing")
    assert "with 2 workers" in served.said[0]
    assert sum("first request" in line for line in served.said) == 2, "waits, has come"

    inode = listener(served.base_url)
    assert served.stop() == 0
    assert listener(served.base_url) != inode
    assert not [pid for pid in pids if _lives(pid)]
    assert len(served.rows()) == 60
    assert serving(LabFolder(served.lab)) == []
    assert served.complained == []


def test_limits_hold_over_both(start, provider):
    """A minute's requests, streams at once, and what a killed worker's streams held is
    given back."""
    served = start("[orgs.acme]\nrequests_per_minute = 20\nconcurrent_streams = 3\n")
    streams = [_stream(served) for _ in range(6)]
    assert sorted(status for status, _ in streams) == [200] * 3 + [429] * 3
    for pid in served.pids():
        os.kill(pid, signal.SIGKILL)
    served.until(lambda: len(served.pids()) == 2, "nobody takes their place")

    again = [_stream(served) for _ in range(4)]
    assert sorted(status for status, _ in again) == [200] * 3 + [429]
    with ThreadPoolExecutor(8) as pool:
        replies = Counter(pool.map(lambda _: served.ask().status_code, range(30)))
    assert replies == {200: 20 - 10, 429: 20}
    for _, sock in streams + again:
        sock.close()


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _stream(served):
    """Begin one; its status, and its connection."""
    host, _, port = served.base_url.removeprefix("http://").partition(":")
    sock = socket.create_connection((host, int(port)), timeout=30)
    data = b'{"model":"gpt-4o-mini","messages":[],"stream":true}'
    head = "".join(f"{n}: {v}\r\n" for n, v in served.headers.items())
    sock.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{head}x-test: stream\r\n"
        f"content-length: {len(data)}\r\n\r\n".encode()
        + data
    )
    return int(sock.recv(12).split()[1]), sock


def test_sessions_and_retries_are_known_to_both(start):
    """What became of a prompt's prefix, and that the same was asked again after a
    failure, wherever it was asked."""
    served = start()
    for turn in (1, 3, 5):
        for session in range(6):
            data = body("chat", *TALK[:turn], system=f"You are number {session}.")
            served.ask(data, **{"X-Lectr-Session": f"s{session}"}).raise_for_status()
    for failure in range(12):
        data = body("chat", f"This is question {failure}")
        assert served.ask(data, **{"x-test": "fail"}).status_code == 500
        assert served.ask(data).status_code == 200
    served.until(lambda: len(served.rows()) == 42, "rows are missing")
    answered = [one["events"]["received"] for one in served.health()["workers"]]

    rows = served.rows()
    causes = [row["prefix_break"] for row in rows[:18]]
    assert causes == ["first"] * 6 + ["none"] * 12, answered
    kept = [(row["prefix_chars"], row["prefix_kept_chars"]) for row in rows[6:18]]
    assert all(chars == same > 0 for chars, same in kept)
    told = [row["retry_of_failed"] for row in rows[18:]]
    assert told == [False, True] * 12, answered


def test_a_stop_budget_holds_over_both(start):
    """As many pass as fit; what is refused did not."""
    served = start('[[budget]]\nusd = 0.002\nper = "day"\naction = "stop"\n')
    data = b'{"model":"gpt-4o-mini","max_tokens":100,"messages":[]}'
    with ThreadPoolExecutor(8) as pool:
        replies = Counter(pool.map(lambda _: served.ask(data).status_code, range(60)))
    served.until(lambda: len(served.rows()) == 60, "rows are missing")

    each_usd = 10 * 0.15e-6 + 100 * 0.6e-6
    assert set(replies) == {200, 429}
    assert 20 <= replies[200] <= 0.002 / each_usd
    assert sum(row["status"] == 200 for row in served.rows()) == replies[200]


def test_a_killed_worker_is_replaced_and_missed_by_nobody(start):
    """Others stand in for it: who connects meanwhile is answered, in no longer time."""
    served = start()
    first = served.pids()
    for _ in range(2):
        os.kill(served.pids()[0], signal.SIGKILL)
        replies = [served.ask().status_code for _ in range(20)]
        assert Counter(replies) == {200: 20}
        served.until(lambda: len(served.pids()) == 2, "nobody takes its place")
    served.until(lambda: served.health()["restarts"] == 2)

    assert len({*first, *served.pids()}) >= 3
    assert "was ended by SIGKILL; another takes its place" in "".join(served.complained)


def test_one_that_cannot_start_is_tried_again_later_and_later(start):
    """Each time after twice as long, which is said; the other answers meanwhile. Once it
    can, it does."""
    served = start()
    journal = served.lab / "journal"
    away = journal.rename(served.lab / "away")
    journal.touch()
    os.kill(served.pids()[0], signal.SIGKILL)

    said = "the next did not start"
    served.until(lambda: said in "".join(served.complained), "nobody is tried")
    served.until(lambda: "in 2 s" in "".join(served.complained), "or only once")
    assert served.ask().status_code == 200
    journal.unlink()
    away.rename(journal)
    served.until(lambda: len(served.pids()) == 2, "nobody takes its place")

    waits_s = re.findall(r"takes its place in (\d+) s", "".join(served.complained))
    assert waits_s == ["1", "2", "4", "8"][: len(waits_s)]


def test_a_restart_loses_nothing(start, provider):
    """SIGUSR2: new workers, by the settings as they are now; a stream ends in its own
    time, and a connection that is kept is told to go."""
    served = start()
    before = served.pids()
    _, stream = _stream(served)
    config = served.lab.parent / "lectr.toml"
    config.write_text(
        config.read_text().replace("workers = 2", "workers = 3")
        + "[orgs.acme]\nmax_body_bytes = 1000\n"
    )
    lost, over = Counter(), threading.Event()

    def ask_on() -> None:
        with httpx.Client(timeout=30) as client:
            url = f"{served.base_url}/v1/chat/completions"
            while not over.is_set():
                data = b'{"model":"gpt-4o-mini","messages":[]}'
                reply = client.post(url, content=data, headers=served.headers)
                lost[reply.status_code] += 1

    clients = [threading.Thread(target=ask_on) for _ in range(4)]
    for client in clients:
        client.start()
    served.process.send_signal(signal.SIGUSR2)
    served.until(lambda: "were replaced" in "".join(served.complained))
    served.until(lambda: not {*served.pids()} & {*before})
    over.set()
    for client in clients:
        client.join()

    assert set(lost) == {200}
    assert served.ask(b'{"model":"x","user":"%s"}' % (b"x" * 1000)).status_code == 413
    assert "workers stay as they are" in "".join(served.complained)

    def retiring():
        return [one["status"] for one in served.health()["workers"]].count("retiring")

    served.until(lambda: retiring() == 1)  # the others, once their connections ended
    provider.let_go.set()
    said = b""
    while not said.endswith(b"\r\n0\r\n\r\n"):
        said += stream.recv(65536)
    assert b"[DONE]" in said
    stream.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    said = b""
    while piece := stream.recv(65536):
        said += piece
    assert b"connection: close" in said.lower()
    stream.close()
    served.until(lambda: len(served.health()["workers"]) == 2, "it does not end")


def test_settings_that_cannot_be_followed_change_nothing(start):
    """What is wrong is said; the workers that serve go on."""
    served = start()
    before = served.pids()
    config = served.lab.parent / "lectr.toml"
    config.write_text(config.read_text().replace("port = 0", "prot = 0"))
    served.process.send_signal(signal.SIGUSR2)
    served.until(lambda: "not restarted" in "".join(served.complained))

    assert "prot" in "".join(served.complained)
    assert served.pids() == before
    assert served.ask().status_code == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_ends_it_and_a_second_one_at_once(start, workers):
    """The first lets a stream end; no worker is left, whatever it did, and its event is
    logged."""
    served = start(workers=workers)
    _, stream = _stream(served)
    pids = served.pids() if workers > 1 else []
    served.process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    assert served.process.poll() is None
    began_s = time.monotonic()
    code = served.stop(signal.SIGINT)

    assert code in (0, 130)
    assert [row["error_type"] for row in served.rows()] == ["proxy_shutdown"]
    assert time.monotonic() - began_s < 15
    assert not [pid for pid in pids if _lives(pid)]
    stream.close()


def test_workers_do_not_outlive_a_parent_that_is_killed(start):
    """Its port is free then."""
    served = start()
    pids = served.pids()
    served.process.kill()
    served.process.wait()

    served.until(lambda: not [p for p in pids if _lives(p)])


def test_what_cannot_be_served_is_said_once(start, tmp_path):
    """By the first worker, or before there is one."""
    served = start('tls_cert = "no.pem"\ntls_key = "no.pem"\n')

    assert served.process.wait(30) == 2
    served.until(lambda: served.complained)
    assert len([line for line in served.complained if "certificate" in line]) == 1
    with pytest.raises(ConfigError, match="played by one process"):
        supervise(Settings(workers=2, upstream="tape:x", lab=str(tmp_path)), print)
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ProxyError, match="Cannot listen"),
    ):
        port = taken.getsockname()[1]
        supervise(Settings(workers=2, port=port, lab=str(tmp_path / "lab")), print)


def test_ends_are_told_in_words():
    """A signal by its name."""
    assert _how(-9) == "was ended by SIGKILL"
    assert _how(3) == "ended with 3"
    assert _how(-250) == "was ended by signal 250"


def test_what_is_settled_at_the_start_stays(capsys):
    """The rest is as it is now."""
    now = Settings(workers=3, port=1, queue_events=7)
    changed = _changed(Settings(workers=2, port=1), now)

    assert (changed.workers, changed.queue_events) == (2, 7)
    assert "workers stay as they are" in capsys.readouterr().err

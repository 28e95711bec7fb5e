"""lectr.toml read again at a signal, in a real process."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from lectr_lab.log.scan import scan

REQUESTS, CLIENTS, RELOADS = 2_000, 4, 10
WITHIN_S = 30


class Served:
    """`lectr-lab serve` as a user runs it."""

    def __init__(self, folder: Path, settings: str, *flags: str) -> None:
        self.file, self.lab = folder / "lectr.toml", LabFolder.create(folder / "lab")
        self.write(settings)
        _, self.key = create_key(self.lab, "acme")
        command = [sys.executable, "-m", "lectr_lab.cli", "serve", "--port", "0"]
        command += flags
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        while "listens on" not in said:
            said = self.process.stdout.readline()
        self.url = said.split("listens on ")[1].split(". ")[0]

    def write(self, settings: str) -> None:
        """As an editor does it: the old file or the new one, never half of it."""
        new = self.file.with_suffix(".new")
        new.write_text(settings)
        new.replace(self.file)

    def reload(self) -> None:
        """Send the signal, and wait until it was obeyed."""
        before = self.settings()
        os.kill(self.process.pid, signal.SIGUSR2)
        deadline = time.monotonic() + WITHIN_S
        while self.settings() == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def settings(self) -> dict:
        return httpx.get(f"{self.url}/health").json()["settings"]

    def stop(self) -> str:
        self.process.terminate()
        _, said = self.process.communicate(timeout=WITHIN_S)
        return said


@pytest.fixture
def serve(tmp_path, usual_signals):
    """A proxy with settings, which ends with its test."""
    started = []

    def start(settings: str, *flags: str) -> Served:
        started.append(Served(tmp_path, settings, *flags))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def ask(served: Served, count: int, got: Counter) -> None:
    """On one connection, as an SDK keeps it; a lost request is an exception."""
    port = int(served.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    headers = {"X-Lectr-Key": served.key, "Authorization": "Bearer sk-test"}
    for _ in range(count):
        try:
            connection.request("GET", "/v1/models", headers=headers)
            reply = connection.getresponse()
            reply.read()
            got[reply.status] += 1
        except (OSError, http.client.HTTPException) as error:
            got[type(error).__name__] += 1
            connection.close()
    connection.close()


def test_no_request_is_lost_while_settings_are_read_again(serve, provider):
    """2,000 of 2,000, with ten readings in between, each row once; and the last settings
    are in force."""
    on = f'upstream = "{provider.url}"\n'
    served = serve(on)
    got: Counter = Counter()
    clients = [
        threading.Thread(target=ask, args=(served, REQUESTS // CLIENTS, got))
        for _ in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for turn in range(RELOADS):
        served.write(f"{on}max_body_bytes = {10_000 + turn}\n")
        served.reload()
    for client in clients:
        client.join()
    served.write(f"{on}[orgs.acme]\nrequests_per_minute = 1\n")
    served.reload()
    ask(served, 2, after := Counter())
    said = served.stop()

    assert got == {200: REQUESTS}
    assert after == {200: 1, 429: 1}
    assert said.count("The settings are read again.") == RELOADS + 1
    rows = scan(served.lab.root).collect()
    assert rows["event_id"].n_unique() == rows.height == REQUESTS + 2


def test_a_bad_file_is_said_and_the_old_settings_stay(serve, provider):
    """Then the file is mended; what needs a restart is named. SIGUSR2 never ends it."""
    served = serve(f'upstream = "{provider.url}"\n')
    served.write("max_body_bytes = -1\n")
    served.reload()
    ask(served, 1, during := Counter())
    served.write(f'upstream = "{provider.url}"\nqueue_events = 5\nport = 1\n')
    served.reload()
    ask(served, 1, after := Counter())
    settings, said = served.settings(), served.stop()

    assert during == after == {200: 1}
    assert "max_body_bytes" in said and "The settings read before stay." in said
    assert "queue_events: a new value takes a restart." in said
    assert settings == {"reloaded": 1, "failed": 1}


def test_new_heads_are_read_by_the_new_settings(serve, provider):
    """A caller whose head is known goes where the settings say now."""
    served = serve('upstream = "http://127.0.0.1:1/v1"\n')
    ask(served, 3, before := Counter())
    served.write(f'upstream = "{provider.url}"\n')
    served.reload()
    ask(served, 3, after := Counter())

    assert (before, after) == ({503: 3}, {200: 3})


def test_for_a_collector_each_line_is_json(serve, provider):
    """Of whatever part of the program; no word of a client is among them."""
    served = serve(f'upstream = "{provider.url}"\n', "--log-format", "json")
    (served.lab.root.parent / "rules.toml").write_text("broken")
    port = int(served.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    words = {"X-Lectr-Provider": "MARKED", "X-Lectr-Feature": "MARKED"}
    keys = {"X-Lectr-Key": served.key, "Authorization": "Bearer MARKED"}
    connection.request("POST", "/v1/MARKED", body="MARKED", headers=words | keys)
    connection.getresponse().read()
    connection.close()
    served.write("MARKED_BY_THE_OPERATOR = 1")
    served.reload()
    time.sleep(2)  # in which the rules are looked at
    said = served.stop()

    lines = [json.loads(line) for line in said.splitlines()]
    codes = {line["code"] for line in lines}
    assert {"settings_unread", "rules", "invalid_provider"} <= codes
    assert all(set(line) == {"time", "level", "code", "sentence"} for line in lines)
    assert "MARKED" not in said.replace("MARKED_BY_THE_OPERATOR", "")

"""A watcher beside a proxy."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest
from child_processes import children, until
from odd_lab import odd_lab, quiet_lab

from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from lectr_lab.watching.beside import watched
from lectr_lab.watching.told import told

BESIDE = "lectr_lab.watching"
SAID = "the canary sings at dawn"
CONFIG = """
lab = "lab"
port = 0
[providers.openai]
base_url = "{}/v1"
[watch]
every_s = 1
budget = 0.01
terminal = false
[watch.webhook]
url_env = "HOOK_URL"
"""


@pytest.mark.slow
def test_a_process_tells_and_ends_with_what_started_it(tmp_path):
    """Where `[watch]` asks for one."""
    lab, file = odd_lab(tmp_path / "lab"), tmp_path / "odd.jsonl"
    asked = WatchSettings(terminal=False, file=str(file))

    with watched(Settings(lab=str(lab), watch=asked)):
        until(file.exists)
        assert children(BESIDE)

    assert not children(BESIDE)
    assert b'"what": "began"' in file.read_bytes()


def test_without_the_section_there_is_no_process():
    """Nobody asked."""
    with watched(Settings()):
        assert not children(BESIDE)


def more_looks(lab: LabFolder) -> None:
    """Waits until the watcher has looked once more."""
    before_s = told(lab).looked_s
    until(lambda: told(lab).looked_s > before_s)


def ask(port: str, key: str) -> int:
    """What a call that fails is answered with."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": SAID}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"x-lectr-key": key, "authorization": f"Bearer sk-{SAID.split()[1]}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.slow
def test_serve_tells_of_a_burst_of_errors_once_and_nothing_of_what_was_said(
    tmp_path, origin, receiver
):
    """A real proxy and its watcher: calls fail, and a webhook hears of it one time."""
    lab = LabFolder(quiet_lab(tmp_path / "lab", datetime.now(UTC)))
    _, key = create_key(lab, "made-up", "feature-0")
    (tmp_path / "lectr.toml").write_text(CONFIG.format(origin.url))
    error = json.dumps({"error": {"message": SAID}}).encode()
    head = b"HTTP/1.1 500 X\r\nconnection: close\r\n"  # as it then does
    head += b"content-length: %d\r\n\r\n" % len(error)
    origin.pieces = [(0.0, head + error)]
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "lectr_lab.cli", "serve"],
            cwd=tmp_path,
            env=os.environ | {"HOOK_URL": receiver.url},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        line = process.stdout.readline().decode()
        [port] = re.findall(r"listens on http://127\.0\.0\.1:(\d+)", line)
        until(lambda: told(lab).looked_s)
        assert {ask(port, key) for _ in range(40)} == {500}
        until(lambda: any(b"errors" in body for _, body in receiver.got))
        for _ in range(2):
            more_looks(lab)
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=60)

    words = [json.loads(body) for _, body in receiver.got]
    assert len({word["id"] for word in words}) == len(words)
    [word] = [word for word in words if "errors" in word["kinds"]]
    assert (word["what"], word["org"]) == ("began", "made-up")
    assert (word["feature"], word["end"]) == ("feature-0", None)
    said = [body for _, body in receiver.got] + [out]
    said += [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    for secret in (SAID.encode(), SAID.split()[1].encode(), key.encode()):
        assert not any(secret in text for text in said)

"""Who is told."""

import io
import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings, WebhookSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.watching.sinks import append, run, sinks, terminal
from lectr_lab.watching.webhook import NotTold

SECRETS = {
    "LECTR_KEY": "lc_key_x",
    "LECTR_ADMIN_SECRET": "admin",
    "HOOK": "https://x.y",
}


def test_no_name_steers_the_terminal(word):
    """Controls are spelled out; the id is there to dismiss it by."""
    out = io.StringIO()

    terminal(word, out)

    assert "\x1b" not in out.getvalue() and "<U+001B>" in out.getvalue()
    assert "[a]" in out.getvalue()


def test_a_file_gets_whole_lines_from_many_writers(word, tmp_path):
    """Each is JSON; the file is its owner's alone."""
    path = tmp_path / "odd.jsonl"
    writers = [
        threading.Thread(target=lambda: [append(word, path) for _ in range(50)])
        for _ in range(4)
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join(60)

    lines = path.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a"] * 200
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_said_and_waits_for_nobody(word, tmp_path):
    """A pipe without a reader, a folder."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "no/folder"):
        with pytest.raises(NotTold, match="cannot be written"):
            append(word, tmp_path / name)


def test_a_command_gets_the_incident_on_its_standard_input(word, tmp_path):
    """As JSON; arguments are arguments, and no secret of ours is in its environment."""
    code = (
        "import json, os, sys; "
        "json.dump([json.load(sys.stdin), dict(os.environ), sys.argv[2]], open(sys.argv[1], 'w'))"
    )
    out = tmp_path / "out.json"
    command = (sys.executable, "-c", code, str(out), "; touch /tmp/x $HOME")
    asked = WatchSettings(
        terminal=False, command=command, command_timeout_s=60,
        webhook=WebhookSettings(url_env="HOOK"),
    )  # fmt: skip
    environ = dict(os.environ) | SECRETS

    sinks(Settings(watch=asked), environ, lambda _: True)[0].send(word)

    told, env, argument = json.loads(out.read_text())
    assert told["id"] == "a" and argument == "; touch /tmp/x $HOME"
    assert not env.keys() & SECRETS.keys() and env["PATH"]


def test_a_command_that_hangs_is_killed_with_its_children(word, tmp_path):
    """After its time; what it started does not live on."""
    pid = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"open({str(pid)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    )

    with pytest.raises(NotTold, match="took more than"):
        run(word, (sys.executable, "-c", code), 3.0, os.environ)

    until_s = time.monotonic() + 30
    while alive(int(pid.read_text())) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not alive(int(pid.read_text()))


def alive(pid: int) -> bool:
    """It runs; one that ended and was not waited for yet does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def test_a_command_that_fails_is_said(word):
    """One that is not there, and one that ends badly."""
    with pytest.raises(NotTold, match="cannot be run"):
        run(word, ("/no/such/program",), 5, {})
    with pytest.raises(NotTold, match="exit code 7"):
        run(word, (sys.executable, "-c", "raise SystemExit(7)"), 60, os.environ)


def test_a_webhook_without_its_variable_is_said_at_the_start():
    """Not at the first incident."""
    asked = WatchSettings(webhook=WebhookSettings(url_env="HOOK"))

    with pytest.raises(ConfigError, match="HOOK is not set"):
        sinks(Settings(watch=asked), {}, lambda _: True)

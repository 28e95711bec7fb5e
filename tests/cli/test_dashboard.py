"""`lectr-lab dashboard`, as a user runs it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lectr_lab.cli import dashboard as door
from lectr_lab.core.errors import LabError


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command, and the address that it printed."""
    command = [sys.executable, "-m", "lectr_lab.cli", "dashboard", *options]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"DISPLAY": ":0", "BROWSER": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            printed = ""
            assert process.stdout is not None
            for line in process.stdout:
                printed += line
                if "opens once" in line:
                    break
            yield re.findall(r"http://127\.0\.0\.1:\S+", printed)[0], process
        finally:
            process.kill()


@pytest.mark.slow
def test_it_shows_made_up_traffic_and_ends_with_ctrl_c(tmp_path):
    """The address opens the page, once; Ctrl-C is no failure, and leaves no traceback."""
    with running(tmp_path, "--demo") as (address, process):
        where = address.partition("?")[0]
        with httpx.Client(timeout=60) as client:
            assert client.get(address).status_code == 200
            assert "Four weeks of made-up traffic" in client.get(where).text
            client.get(f"{where}data?after=0")
        assert httpx.get(address).status_code == 401

        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=40)

    assert (process.returncode, stderr) == (0, "")
    assert "Stopped." in stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_log_that_is_not_there_is_waited_for(tmp_path):
    """The command starts, and makes no folder; its page says what to do."""
    with running(tmp_path, "--no-browser", "--since", "7d") as (address, _):
        where = address.partition("?")[0]
        with httpx.Client(timeout=60) as client:
            client.get(address)
            said = client.get(f"{where}data?after=0")
            while said.status_code == 204:
                said = client.get(f"{where}data?after=0")
        assert "lectr-lab init" in said.json()["trouble"]

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "featur"}, "feature"),
        ({"since": "soon"}, "is not a time"),
        ({"since": "2026-11-01..2026-11-02"}, "first day alone"),
        ({"tz": "Mars/Base"}, "Mars/Base"),
    ],
)
def test_what_is_mistyped_is_said_before_anything_listens(tmp_path, options, says):
    """In a sentence that names it."""
    with pytest.raises(LabError, match=says):
        door.dashboard(tmp_path / "lab", **options)


def test_a_folder_that_is_no_lab_is_refused(tmp_path):
    """Else its page would wait for ever."""
    with pytest.raises(LabError, match="is no lab"):
        door.dashboard(tmp_path)


def test_a_browser_is_opened_at_a_terminal_alone(monkeypatch, capsys):
    """Not where the output is read by a program, nor where there is no screen."""
    opened: list[str] = []
    monkeypatch.setattr(door.webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")

    door._started("http://127.0.0.1:1/", no_browser=False)
    assert opened == []

    monkeypatch.setattr(door.sys.stdout, "isatty", lambda: True, raising=False)
    door._started("http://127.0.0.1:1/", no_browser=True)
    assert opened == []
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(door.sys, "platform", "linux")
    assert door._has_screen() is False

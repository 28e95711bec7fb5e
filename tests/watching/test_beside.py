"""A watcher beside a proxy."""

import os
import time
from pathlib import Path

import pytest
from odd_lab import odd_lab

from lectr_lab.config.settings import Settings
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.watching.beside import watched


def until(holds, seconds=120.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def children() -> set[str]:
    """Processes of this one that watch."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    found = {
        pid
        for task in tasks.iterdir()
        for pid in (task / "children").read_text().split()
    }
    return {pid for pid in found if b"lectr_lab.watching" in _line(pid)}


def _line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
def test_a_process_tells_and_ends_with_what_started_it(tmp_path):
    """Where `[watch]` asks for one."""
    lab, file = odd_lab(tmp_path / "lab"), tmp_path / "odd.jsonl"
    asked = WatchSettings(terminal=False, file=str(file))

    with watched(Settings(lab=str(lab), watch=asked)):
        until(file.exists)
        assert children()

    assert not children()
    assert b'"what": "began"' in file.read_bytes()


def test_without_the_section_there_is_no_process():
    """Nobody asked."""
    with watched(Settings()):
        assert not children()

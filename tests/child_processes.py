"""What a test asks of processes that it started: which there are, and how far they are."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from lectr_lab.bench.process import family


def until(holds: Callable[[], object], seconds: float = 120.0) -> None:
    """Waits for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def children(module: str) -> set[int]:
    """Processes of this one that run a module, which their command names."""
    return {pid for pid in family(os.getpid()) if module.encode() in _command(pid)}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""

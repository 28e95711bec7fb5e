"""Other processes, for what is shared with them."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run_python() -> Iterator[Run]:
    """Runs a program of its own; it ends with the test at the latest."""
    running = []

    def run(code: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()

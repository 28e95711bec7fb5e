"""`lectr-lab lab`, as a user runs it; the browser's part is in test_jupyterlab.py."""

import contextlib
import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from lectr_lab.cli.jupyter import open_jupyterlab
from lectr_lab.core.errors import LabError


def test_it_serves_the_notebooks_and_stops_with_ctrl_c(tmp_path):
    """The address is printed; the notebooks are there; nothing is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "lab", "--no-browser", "--port", "0"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        found = (re.search(r"http://127\.0\.0\.1\S+", line) for line in lines)
        url = next(match[0] for match in found if match)
        token = url.partition("token=")[2]
        soon = httpx.HTTPTransport(retries=20)  # it prints its address, then listens
        with httpx.Client(transport=soon, trust_env=False, timeout=60) as client:
            base_url, params = url.partition("/lab")[0], {"token": token}
            listed = client.get(f"{base_url}/api/contents", params=params).json()
            # Jupyter hangs when it is stopped before its last extension is up.
            client.get(f"{base_url}/lsp/status", params=params).raise_for_status()
    finally:
        process.send_signal(signal.SIGINT)  # it asks whether one is sure
        with contextlib.suppress(subprocess.TimeoutExpired, OSError):
            process.communicate("y\n", timeout=120)
        process.kill()
        process.wait()

    assert process.returncode == 0
    names = {one["name"] for one in listed["content"]}
    assert "00_start_here.ipynb" in names
    assert not (tmp_path / "lab").exists(), "looking makes no log"


def test_a_notebook_that_is_there_stays(tmp_path, monkeypatch):
    """It is the user's; what is missing comes beside it."""
    monkeypatch.setattr(os, "execve", lambda *_: None)
    mine = tmp_path / "00_start_here.ipynb"
    mine.write_text("mine")

    open_jupyterlab(notebooks=tmp_path)

    assert mine.read_text() == "mine"


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path):
    """Which, and what else to do."""
    (tmp_path / "file").touch()

    with pytest.raises(LabError, match="--notebooks"):
        open_jupyterlab(notebooks=tmp_path / "file")

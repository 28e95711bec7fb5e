"""`lectr-lab metrics`, beside proxies that write and die."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lectr_lab.cli.app import app
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError, LogError
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.log.upkeep.compact import compact

KEY = "lc_key_of-a-session"
WITHIN_S = 60


def summed(text: str, name: str) -> float:
    """All series of a metric together."""
    lines = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, lines))


def test_once_prints_them(tmp_path, capsys):
    """Of an empty log, too; a folder that is none and a day that is none are said."""
    LabFolder.create(tmp_path / "lab")
    app(["metrics", str(tmp_path / "lab"), "--once"], result_action="return_value")

    assert "# TYPE lectr_requests_total counter" in capsys.readouterr().out
    for wrong, error in (
        ([str(tmp_path / "none"), "--once"], LogError),
        ([str(tmp_path / "lab"), "--once", "--since", "yesterday"], ConfigError),
        ([str(tmp_path / "lab"), "--every", "0"], ConfigError),
        ([str(tmp_path / "lab"), "--host", "0.0.0.0"], ConfigError),
    ):
        with pytest.raises(error):
            app(["metrics", *wrong], result_action="return_value")


@pytest.mark.slow
def test_sums_are_the_rows_of_two_proxies_one_of_them_killed(tmp_path, usual_signals):
    """While both write, after a kill -9, after sealing and after compaction; a second
    run of the program says the same."""
    lab = tmp_path / "lab"
    settings = Settings(lab=str(lab), port=0, upstream="http://127.0.0.1:1/v1")
    children = [Child(Order(settings=settings, session=Session(KEY))) for _ in "ab"]
    program = [sys.executable, "-m", "lectr_lab.cli", "metrics", str(lab), "--port=0"]
    running = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    url = re.search(r"http://\S+/metrics", running.stdout.readline())[0]
    stop = threading.Event()

    def ask(base_url: str) -> None:
        with httpx.Client(headers={"X-Lectr-Key": KEY}) as client:
            while not stop.is_set():
                try:
                    client.get(f"{base_url}/v1/models")
                except httpx.HTTPError:
                    return  # it was killed

    askers = [threading.Thread(target=ask, args=(c.base_url,)) for c in children]
    for asker in askers:
        asker.start()
    seen = []
    try:
        for turn in range(8):
            time.sleep(0.5)
            if turn == 4:
                os.kill(children[0].pid, signal.SIGKILL)
            seen.append(summed(httpx.get(url, timeout=30).text, "lectr_requests_total"))
    finally:
        stop.set()
        for asker in askers:
            asker.join()
        for child in children:
            child.stop()
    settled = _shows(url, scan(lab).collect().height)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    compact(LabFolder(lab), today=tomorrow)
    rows = scan(lab).collect()
    compacted = _shows(url, rows.height)
    again = subprocess.run(
        [*program[:5], "--once"], capture_output=True, text=True, check=True
    ).stdout
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=WITHIN_S)

    assert seen == sorted(seen) and seen[-1] > seen[0] > 0
    for text in (settled, compacted, again):
        assert summed(text, "lectr_requests_total") == rows.height
        assert (
            summed(text, "lectr_errors_total") == rows.height
        )  # nobody is behind them


def _shows(url: str, rows: int) -> str:
    """What a scrape says, once it has so many requests."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        text = httpx.get(url, timeout=30).text
        if summed(text, "lectr_requests_total") == rows or time.monotonic() > deadline:
            return text
        time.sleep(0.5)

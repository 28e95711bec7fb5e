"""Two minutes of `tests/soak.py`, which is a program for hours."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).with_name("soak.py")
# Laws that hold whatever the machine is doing: on a starved one a proxy may not get to
# write within a second, so a row is owed here for what ended five before a kill.
USUAL = ("--seconds", "75", "--seed", "16", "--durable-s", "5", "--flips", "40")


def soaked(folder: Path, *flags: str, within_s: float) -> tuple[int, str]:
    """Its exit code and what it printed."""
    command = [sys.executable, str(SOAK), *flags, "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            printed, _ = process.communicate(timeout=within_s)
        finally:  # its proxies are its own to end
            process.send_signal(signal.SIGINT)
    return process.returncode, printed


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_traffic_and_faults_break_no_law(tmp_path):
    """The log agrees with a book outside it, whatever is killed, full or damaged."""
    code, printed = soaked(tmp_path / "labs", *USUAL, within_s=800)

    assert code == 0, printed
    assert "All laws held." in printed
    kills, asked = (re.search(p, printed) for p in (r"(\d+) kills", r"([\d,]+) asked"))
    assert kills and int(kills[1]) > 0  # there was something to hold
    assert asked and int(asked[1].replace(",", "")) > 100

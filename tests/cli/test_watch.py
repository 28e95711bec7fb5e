"""`lectr-lab watch`, as a user types it."""

import signal
import subprocess
import sys

import pytest
from odd_lab import odd_lab

from lectr_lab.cli.watch import watch
from lectr_lab.core.errors import ConfigError


@pytest.fixture
def lab(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    yield odd_lab(tmp_path / "lab")
    signal.signal(signal.SIGTERM, before)


def test_a_look_tells_each_incident_once(lab, capsys):
    """With its id; the second look tells nothing."""
    watch(lab, once=True)
    first = capsys.readouterr().out
    watch(lab, once=True)

    assert "feature-0" in first and "[" in first
    assert capsys.readouterr().out == ""


def test_what_cannot_be_followed_is_said(lab):
    """Before anything is looked at."""
    with pytest.raises(ConfigError, match="budget"):
        watch(lab, budget=0)


@pytest.mark.slow
@pytest.mark.usefixtures("usual_signals")
def test_ctrl_c_stops_it_cleanly(lab):
    """With exit code 0 and no traceback."""
    running = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "watch", str(lab)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline().startswith("Watching")
    assert "feature-0" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)

    assert running.returncode == 0 and "Traceback" not in err
    assert out.endswith("No longer watched.\n")

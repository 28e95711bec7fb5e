"""Files for who runs the proxy as a service."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key

DEPLOY = Path(__file__).parents[1] / "data" / "deploy"
UNITS = ["lectr-lab.service", "lectr-lab-metrics.service"]
WITHIN_S = 30


@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_against_a_unit(tmp_path, name):
    """As it stands, but for a program and a user that are on this machine."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have systemd-analyze: apt-get install systemd")
        pytest.skip("needs systemd-analyze")
    text = (DEPLOY / name).read_text()
    here = tmp_path / name
    here.write_text(
        text.replace("/opt/lectr-lab/bin/lectr-lab", sys.executable)
        .replace("=lectr\n", "=root\n")
        .replace("/var/lib/lectr-lab", str(tmp_path))
    )
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", str(here)],
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in done.stderr.splitlines() if name in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_calls_what_there_is(name):
    """The command and its options; the signal is the one that reads settings again."""
    text = (DEPLOY / name).read_text()
    [command, *options] = re.search(r"^ExecStart=\S+ (.+)$", text, re.MULTILINE)[
        1
    ].split()
    helped = subprocess.run(
        [sys.executable, "-m", "lectr_lab.cli", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert all(option in helped for option in options if option.startswith("--"))
    if "ExecReload" in text:
        assert "kill -USR2 $MAINPID" in text


def test_systemd_is_told_when_it_serves_reads_settings_and_stops(
    tmp_path, usual_signals
):
    """READY once it listens; RELOADING and READY again; STOPPING."""
    (tmp_path / "lectr.toml").write_text('upstream = "http://127.0.0.1:1/v1"\n')
    create_key(LabFolder.create(tmp_path / "lab"), "acme")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(WITHIN_S)
        command = [sys.executable, "-m", "lectr_lab.cli", "serve", "--port", "0"]
        environ = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            said = [told.recv(200)]
            process.send_signal(signal.SIGUSR2)
            said += [told.recv(200).split(b"\n")[0], told.recv(200)]
            process.terminate()
            said.append(told.recv(200))
            process.wait(timeout=WITHIN_S)

    assert said == [b"READY=1", b"RELOADING=1", b"READY=1", b"STOPPING=1"]


def test_the_image_is_made_of_what_there_is():
    """It cannot be built here, and says so; its extras and variables are real."""
    text = (DEPLOY / "Dockerfile").read_text()
    project = (DEPLOY.parents[1] / "pyproject.toml").read_text()
    extras = re.search(r"/src\[([a-z,]+)\]", text)[1].split(",")

    assert text.startswith("# Untested")
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras)
    for variable in ("LECTR_HOST", "LECTR_LAB", "LECTR_LOG_FORMAT"):
        assert f"{variable}=" in text

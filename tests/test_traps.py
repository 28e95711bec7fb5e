"""Files that are traps: every command says what is wrong, in bounded time and memory.

The traps of one kind are all put into one lab; what each room does about one of them is
tested beside it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lectr_lab.core.ids import event_id
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.frames import frame_head
from lectr_lab.log.key_file import create_key
from lectr_lab.log.segment import header

DAY = "2026-11-02"
NAME = event_id(0, 1).hex()
PLACES = (
    f"log/date={DAY}/{NAME}.parquet",
    f"log/date=2026-11-03/{NAME}.parquet",
    f"journal/{DAY}.{NAME}.journal",
    f"journal/{DAY}.{event_id(0, 2).hex()}.bad",
    f"state/{DAY}.crc32",
    "state/verified",
    "state/dropped.0123456789abcdef",
    f"state/unread.{DAY}.{NAME}",
)


@pytest.fixture
def lab(tmp_path: Path) -> LabFolder:
    """A lab with a key."""
    lab = LabFolder.create(tmp_path / "lab")
    create_key(lab, "acme")
    return lab


def put_everywhere(lab: LabFolder, make: object) -> None:
    for place in PLACES:
        (lab.root / place).parent.mkdir(exist_ok=True, mode=0o700)
        make(lab.root / place)  # type: ignore[operator]


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nest(path: Path) -> None:
    """A batch of arrays in arrays, with a right checksum."""
    payload = b"\x91" * 200_000 + b"\x90"
    path.write_bytes(header() + frame_head(payload) + payload)


KINDS = {"pipes": os.mkfifo, "links": link_to_zeros, "nested": nest}


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lectr_lab.cli", *map(str, arguments)]
    limited = ["sh", "-c", 'ulimit -v 8000000; exec "$@"', "sh", *command]
    return subprocess.run(
        limited, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_command_ends_and_says_what_is_wrong(lab, tmp_path, kind):
    """No traceback, no wait; the doctor names each file, and mends the lab."""
    put_everywhere(lab, KINDS[kind])

    report = run("report", lab.root, cwd=tmp_path)
    compact = run("compact", lab.root, cwd=tmp_path)
    doctor = run("doctor", lab.root, "--mend", cwd=tmp_path)
    keys = run("keys", "create", "acme", "--lab", lab.root, cwd=tmp_path)

    for done in (report, compact, doctor, keys):
        assert "Traceback" not in done.stderr
        assert done.returncode == 0, done.stderr
    assert "cannot be read" in report.stderr
    assert doctor.stdout.count(NAME) >= 3
    assert not list(lab.log.rglob("*.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prices.toml", "lectr.toml"])
@pytest.mark.parametrize("kind", ["pipes", "links", "brackets", "names"])
def test_settings_that_are_traps_are_one_line(lab, tmp_path, name, kind):
    """Which file, and what it is."""
    path = (lab.root if name == "prices.toml" else tmp_path) / name
    if kind in KINDS:
        KINDS[kind](path)
    elif kind == "brackets":
        path.write_text("a = " + "[" * 5_000 + "]" * 5_000)
    else:
        path.write_text(".".join("a" * 100_000) + " = 1")

    done = (
        run("report", lab.root, cwd=tmp_path)
        if path.parent == lab.root
        else run("serve", "--port", "0", cwd=tmp_path)
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert name in done.stderr


@pytest.mark.slow
def test_serve_ends_on_sigterm_whatever_lies_in_the_journal(lab, tmp_path):
    """Its sealer is not waited for longer than is said."""
    put_everywhere(lab, os.mkfifo)
    (tmp_path / "lectr.toml").write_text('lab = "lab"\nport = 0\n')
    command = [sys.executable, "-m", "lectr_lab.cli", "serve"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    listens = "listens on" in process.stdout.readline()

    process.send_signal(signal.SIGTERM)
    try:
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()

    assert listens
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in said


def test_a_name_does_nothing_to_a_terminal(lab, tmp_path):
    """An export called like an order to clear the screen is spelled out."""
    name = "calls\x1b[2J.csv"
    (tmp_path / name).write_text("a\n1\n")

    done = run("import", name, "--kind", "litellm", "--lab", lab.root, cwd=tmp_path)

    assert done.returncode == 2
    assert "\x1b" not in done.stderr + done.stdout
    assert "calls<U+001B>[2J.csv" in done.stderr

"""What commands print: lines that fit, whole words, and JSON for programs."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

import lectr_lab.cli
from lectr_lab.cli.say import say, say_json
from lectr_lab.resources import shipped_traffic

RULES = """
[[rules]]
name = "fragen-und-antworten-nach-feierabend"
priority = 1
when = { feature = "document-qa" }
then = { model = "gpt-4o-mini" }
"""
# Every command that prints a table or a list; `{lab}` is a copy of the demo's log.
COMMANDS = {
    "report": "report {lab}",
    "report by two": "report {lab} --by feature,model",
    "report by day": "report {lab} --by day",
    "compare": "report {lab} --compare previous",
    "sessions": "sessions {lab}",
    "sessions by": "sessions {lab} --by client",
    "recommend": "recommend {lab}",
    "simulate": "simulate {lab} --rules {lab}/rules.toml",
    "reconcile": "reconcile {lab} --lab {lab}",
    "keys": "keys list --lab {lab}/own",
    "doctor": "doctor {lab}/own",
    "forecast": "forecast {lab}",
    "forecast by": "forecast {lab} --by feature --usd 80",
    "budgets": "budgets {lab}",
    "odd": "odd {lab}",
    "rules": "rules list --config {lab}/rules-settings.toml",
    "rules explain": (
        "rules explain --config {lab}/rules-settings.toml --feature document-qa "
        "--model gpt-4o"
    ),
}
ELSEWHERE = {"evidence", "import_log"}
"""Commands that need more than a log: their own tests read their JSON."""
MODULES = {"keys": "app"}
FINDS = {"odd": 3}
"""Exit codes other than 0, of what finds something in the demo's log."""
BUDGETS = """
[[budget]]
usd = 70
per = "month"
name = "für alle Anfragen des Unternehmens zusammen"
action = "stop"

[[budget]]
usd = 2
per = "run"
for = "user"
"""


def run(line, lab, width=None):
    """A command's output and exit code, in a terminal so wide, or in a pipe."""
    words = line.format(lab=lab).split()
    command = [sys.executable, "-m", "lectr_lab.cli", *words]
    if width is None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout, done.returncode
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environ = os.environ | {"TERM": "xterm", "COLUMNS": str(width)}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environ
    )
    os.close(theirs)
    said = b""
    while piece := _read(ours):
        said += piece
    os.close(ours)
    return said.decode().replace("\r\n", "\n"), process.wait(timeout=120)


def _read(fd):
    try:
        return os.read(fd, 65536)
    except OSError:  # the other end is closed
        return b""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A copy of the demo's log, with rules; in it a lab with a key and a torn file."""
    folder = tmp_path_factory.mktemp("terminal") / "lab"
    shutil.copytree(shipped_traffic(), folder)
    (folder / "rules.toml").write_text(RULES)
    (folder / "rules-settings.toml").write_text('rules = "rules.toml"')
    (folder.parent / "lectr.toml").write_text(BUDGETS)
    torn = folder / "own" / "log" / "date=2026-11-02" / "torn.parquet"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"PAR1")
    run("keys create a-team-with-a-long-name --lab {lab}/own", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_cut_or_parted_inside_a_word(name, width, lab):
    """No line is wider than the terminal but for one word that is, and every word of
    the output is one of what a pipe gets, or of a heading."""
    said, code = run(COMMANDS[name], lab, width)

    assert code == FINDS.get(name, 0) and said.strip()
    for line in said.split("\n"):
        assert cell_len(line) <= width or " " not in line.strip(" -"), line
    assert not re.search(r"\d \n%|< \n", said)
    assert "\x1b" not in said


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_table_is_there_for_programs(name, lab):
    """`--json` is one JSON text on standard output, and nothing else."""
    said, code = run(f"{COMMANDS[name]} --json", lab)

    assert code == FINDS.get(name, 0)
    assert said.isascii()
    assert isinstance(json.loads(said), dict | list)


def test_no_command_that_programs_read_is_left_out():
    """Whatever has `--json` is run above, but for what is named."""
    folder = Path(lectr_lab.cli.__file__).parent
    have = {f.stem for f in folder.glob("*.py") if "json: bool =" in f.read_text()}
    words = {line.split()[0] for line in COMMANDS.values()}

    assert have - ELSEWHERE == {MODULES.get(word, word) for word in words}


def test_a_pipe_gets_whole_lines(capsys):
    """Programs break lines themselves, or none."""
    say("a sentence " * 40)

    assert capsys.readouterr().out == "a sentence " * 40 + "\n"


def test_no_name_steers_the_terminal(capsys):
    """In sentences and in JSON."""
    say("\x1b[31mred")
    say_json({"feature": "\x1b[31mröt"})

    assert "\x1b" not in capsys.readouterr().out

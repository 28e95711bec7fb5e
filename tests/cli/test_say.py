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


# One after the other in one process: most of the time of a command is in what it loads.
PROGRAM = """
import sys
from lectr_lab.cli import main

for line in sys.argv[1:]:
    sys.argv, code = ["lectr-lab", *line.split()], 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    print(f"[{code}]", flush=True)
"""


def run(lines, lab, width=None):
    """Each command's output and exit code, in a terminal so wide, or in a pipe."""
    command = [sys.executable, "-c", PROGRAM, *(line.format(lab=lab) for line in lines)]
    printed = _printed(command, width)
    *said, rest = re.split(r"^\[(\d+)\]\n", printed, flags=re.MULTILINE)

    assert rest == "" and len(said) == 2 * len(lines), printed
    return list(zip(said[::2], map(int, said[1::2]), strict=True))


def _printed(command, width):
    if width is None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout
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
    assert process.wait(timeout=120) == 0
    return said.decode().replace("\r\n", "\n")


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
    run(["keys create a-team-with-a-long-name --lab {lab}/own"], folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
def test_nothing_is_cut_or_parted_inside_a_word(width, lab):
    """No line is wider than the terminal but for one word that is, and every word of
    the output is one of what a pipe gets, or of a heading."""
    printed = run(COMMANDS.values(), lab, width)

    for name, (said, code) in zip(COMMANDS, printed, strict=True):
        assert code == FINDS.get(name, 0) and said.strip(), name
        for line in said.split("\n"):
            assert cell_len(line) <= width or " " not in line.strip(" -"), (name, line)
        assert not re.search(r"\d \n%|< \n", said), name
        assert "\x1b" not in said, name


@pytest.mark.slow
def test_every_table_is_there_for_programs(lab):
    """`--json` is one JSON text on standard output, and nothing else."""
    printed = run([f"{line} --json" for line in COMMANDS.values()], lab)

    for name, (said, code) in zip(COMMANDS, printed, strict=True):
        assert code == FINDS.get(name, 0), name
        assert said.isascii(), name
        assert isinstance(json.loads(said), dict | list), name


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

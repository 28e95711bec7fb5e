"""The command line, as a user types it."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lectr_lab.log.folder import LabFolder

COMMANDS = ["demo", "init", "serve", "keys create", "keys rotate", "keys disable"]
COMMANDS += "bench compact doctor evidence export forecast import lab recommend reconcile".split()
COMMANDS += "record replay report ship simulate".split()
COMMANDS += ["keys list", "dashboard"]
COMMANDS += ["rules list", "rules check", "rules explain"]


def lectr_lab(*arguments: str, cwd: Path, **environ: str):
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "lectr_lab.cli", *arguments],
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself_with_an_example(tmp_path, command):
    """--help, and in it a line to copy."""
    shown = lectr_lab(*command.split(), "--help", cwd=tmp_path)

    assert shown.returncode == 0
    assert f"lectr-lab {command}".strip() in shown.stdout
    assert "Example" in shown.stdout


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("bench", "npm install @portkey-ai/gateway"),
        ("compact", "safe to stop with Ctrl-C"),
        ("reconcile", "Another account is"),
    ],
)
def test_a_commands_help_is_its_whole_docstring(tmp_path, command, says):
    """Not only the line that the list of commands shows."""
    shown = lectr_lab(command, "--help", cwd=tmp_path).stdout

    assert says in shown
    assert "lectr-lab demo" not in shown


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("report", "genai_prices"),
        ("demo", "openai"),
        ("reconcile export.json", "genai_prices"),
        ("evidence tape --to-model gpt-4o-mini", "genai_prices"),
    ],
)
def test_the_small_install_says_what_brings_the_rest(tmp_path, command, missing):
    """No traceback, but the line to type; nothing is begun before."""
    without = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[0] = 'lectr-lab'; "
    )
    program = without + "from lectr_lab.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", program, *command.split()],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"lectr-lab: pip install 'lectr-lab[lab]' brings {missing}, which is not "
        "installed.\n"
    )


def test_init_makes_settings_and_a_key_shown_once(tmp_path):
    """The key works for `serve`; on disk there is only its digest."""
    made = lectr_lab("init", "--org", "acme", cwd=tmp_path)

    [key] = re.findall(r"export LECTR_KEY=(lc_key_\S+)", made.stdout)
    assert made.returncode == 0
    assert "export OPENAI_BASE_URL=http://127.0.0.1:8484/v1" in made.stdout
    assert "export OPENAI_CUSTOM_HEADERS=" in made.stdout
    assert (tmp_path / "lectr.toml").is_file()
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert not [p for p in files if key.encode() in p.read_bytes()]
    listed = lectr_lab("keys", "list", cwd=tmp_path)
    assert "acme" in listed.stdout and key not in listed.stdout


def test_init_twice_leaves_the_first_alone(tmp_path):
    """Exit code 2, and what to do instead."""
    lectr_lab("init", cwd=tmp_path)
    again = lectr_lab("init", cwd=tmp_path)

    assert again.returncode == 2
    assert "lectr-lab keys create" in again.stderr


def test_keys_are_made_rotated_disabled_and_listed(tmp_path):
    """Each new key is shown once; a disabled one says so."""
    lectr_lab("init", cwd=tmp_path)

    made = lectr_lab("keys", "create", "acme", "--feature", "ide", cwd=tmp_path)
    rotated = lectr_lab("keys", "rotate", "acme", cwd=tmp_path)
    disabled = lectr_lab("keys", "disable", "acme", cwd=tmp_path)
    listed = lectr_lab("keys", "list", cwd=tmp_path)

    keys = [re.search(r"lc_key_\S+", out.stdout)[0] for out in (made, rotated)]
    assert keys[0] != keys[1]
    assert disabled.returncode == 0
    assert re.search(r"acme +disabled .* ide", listed.stdout)


def test_keys_of_a_log_elsewhere(tmp_path):
    """--lab names its folder, with no lectr.toml here; a folder that is no lab stays so."""
    LabFolder.create(tmp_path / "start-here")
    (tmp_path / "other").mkdir()

    for words in ("create acme", "rotate acme", "disable acme", "list"):
        done = lectr_lab("keys", *words.split(), "--lab", "start-here", cwd=tmp_path)
        assert done.returncode == 0
    missed = lectr_lab("keys", "create", "acme", "--lab", "other", cwd=tmp_path)
    unnamed = lectr_lab("keys", "create", "acme", cwd=tmp_path)

    assert "acme  disabled" in done.stdout
    assert (missed.returncode, unnamed.returncode) == (2, 2)
    assert "other is no lab" in missed.stderr
    assert "--lab" in unnamed.stderr
    assert not list((tmp_path / "other").iterdir())


@pytest.mark.parametrize("command", ["compact", "doctor", "recommend", "report"])
def test_a_command_reads_the_lab_that_serve_writes(tmp_path, command):
    """The one that lectr.toml names, also where there is another that is named lab."""
    (tmp_path / "lectr.toml").write_text('lab = "elsewhere"')
    (tmp_path / "lab").write_text("no folder")
    LabFolder.create(tmp_path / "elsewhere")

    done = lectr_lab(command, cwd=tmp_path)
    named = lectr_lab(command, "lab", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert named.returncode == 2 and "lab is a file" in named.stderr


@pytest.mark.parametrize(
    ("arguments", "toml", "expected"),
    [
        (["serve"], None, "lectr-lab init"),
        (["serve"], "port = 'x'", "lectr.toml, line 1: port"),
        (["serve"], "nonsense", "not valid TOML"),
        (["serve", "--host", "0.0.0.0", "--port", "0"], "", "allow_plain_http"),
        (["serve"], "upstream = 'tape:missing.yaml'\nport = 0", "missing.yaml"),
        (["keys", "create", "no spaces please"], "", "no spaces please"),
        (["keys", "rotate", "nobody"], "", "nobody"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(tmp_path, arguments, toml, expected):
    """No traceback, whatever it is."""
    if toml is not None:
        (tmp_path / "lectr.toml").write_text(toml)

    done = lectr_lab(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "no\x1b[31mlab\u202e"),
        ("import", "no\x1b[31mfile\u202e", "--kind=table", "--columns=started_at=a"),
        ("doctor", "no\x1b[31mlab\u202e"),
        ("rules", "check", "--config", "no\x1b[31mfile\u202e"),
    ],
)
def test_no_file_s_name_steers_a_terminal(tmp_path, arguments):
    """What cannot be seen in it is written as its code; lines stay lines."""
    done = lectr_lab(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert "<U+001B>[31m" in done.stderr and "<U+202E>" in done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stderr + done.stdout)


def test_a_taken_port_is_a_message_and_exit_code_2(tmp_path):
    """Which port, and how to choose another."""
    lectr_lab("init", cwd=tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = lectr_lab("serve", "--port", port, cwd=tmp_path)

    assert done.returncode == 2
    assert port in done.stderr and "--port" in done.stderr


def test_serve_works_for_an_openai_program_unchanged(tmp_path):
    """The two variables are enough; the first request is announced; Ctrl-C is clean."""
    made = lectr_lab("init", cwd=tmp_path)
    key = re.search(r"lc_key_\S+", made.stdout)[0]
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        upstream = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
    toml = tmp_path / "lectr.toml"
    toml.write_text(f'upstream = "{upstream}"\n')
    with subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "serve", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as serve:
        said = ""
        while "Waiting for the first request" not in said:
            said += serve.stdout.readline()
        url = re.search(r"OPENAI_BASE_URL=(\S+)", said)[1]
        program = (
            "import openai\ntry: openai.OpenAI(max_retries=0).models.list()\n"
            "except openai.InternalServerError as e: print(e.status_code, e.code)"
        )
        asked = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ
            | {
                "OPENAI_API_KEY": "sk-x",
                "OPENAI_BASE_URL": url,
                "OPENAI_CUSTOM_HEADERS": f"X-Lectr-Key: {key}",
            },
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        while "Your first request has arrived" not in said:
            said += serve.stdout.readline()
        serve.send_signal(signal.SIGINT)
        out, err = serve.communicate(timeout=30)

    assert asked.stdout.strip() == "503 provider_unreachable", asked.stderr
    assert err == ""
    assert serve.returncode in (0, 130)
    assert key not in said + out


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    """`lectr-lab … | head` ends in silence."""
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lectr_lab.cli",
            "report",
            str(tmp_path),
            "--format=json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        command.stdout.close()
        said = command.stderr.read()

    assert said == b""


def test_starting_is_quick():
    """--help takes at most three times what `import asyncio, ssl` does, side by side."""

    def cpu_s(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    rounds = [
        (
            cpu_s("-c", "import asyncio, ssl"),
            cpu_s("-c", "import lectr_lab"),
            cpu_s("-m", "lectr_lab.cli", "--help"),
        )
        for _ in range(7)
    ]
    yardstick, package, help_page = (min(times) for times in zip(*rounds, strict=True))

    assert package <= 3 * yardstick
    assert help_page <= 3 * yardstick

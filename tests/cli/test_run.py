"""`lectr-lab run`, with real programs, a real proxy and a server behind it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import App

from lectr_lab.cli.run import report_command, run
from lectr_lab.core.errors import ConfigError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from lectr_lab.log.scan import scan
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette

SHIPPED = shipped_cassettes() / "llama" / "gemma-3-270m-q4_k_m.yaml"
WITHIN_S = 60
# Sends what the headers in a variable say, as SDKs do, with no SDK.
ASKS = """\
#!{python}
import json, os, sys, urllib.request
url, headers = os.environ["{url}"] + "{path}", {{"Content-Type": "application/json"}}
headers["Authorization"] = "Bearer sk-" + "secret-0123456789"
headers |= dict(line.split(": ") for line in os.environ["{headers}"].splitlines())
body = json.dumps({{"model": "{model}", "max_tokens": 1, "messages": []}}).encode()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
print(opener.open(urllib.request.Request(url, body, headers)).status)
print(json.dumps(dict(os.environ)), file=open("environ.json", "w"))
sys.exit(7)
"""
CLAUDE = {
    "url": "ANTHROPIC_BASE_URL",
    "path": "/v1/messages",
    "headers": "ANTHROPIC_CUSTOM_HEADERS",
    "model": "claude-sonnet-4-5",
}


def run_tokens(*tokens) -> int:
    """The command's exit code, as the command line calls it."""
    app = App(result_action="return_value")
    app.command(run)
    with pytest.raises(SystemExit) as ended:
        app(["run", *map(str, tokens)])
    return ended.value.code


@pytest.fixture
def here(tmp_path, monkeypatch, origin) -> Path:
    """A project, with a server in the place of the providers, and no login at all."""
    folder = tmp_path / "my-app"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_HEADERS")) or "LECTR" in name:
            monkeypatch.delenv(name)
    recorded = [one for one in read_cassette(SHIPPED) if one.status == 200]
    origin.play(next(one for one in recorded if b'"stream"' not in one.request_body))
    lines = [f'[providers.{p}]\nbase_url = "{origin.url}/v1"' for p in ("openai",)]
    lines += [f'[providers.anthropic]\nbase_url = "{origin.url}/v1"']
    (folder / "lectr.toml").write_text("\n".join(lines))
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def rows(folder: Path) -> list[dict]:
    return scan(folder / "lab").collect().to_dicts()


def test_a_programs_calls_are_seen_and_it_is_none_the_wiser(here, capfd, monkeypatch):
    """Its output and exit code are its own, the feature is its folder's name, and a
    line says what passed; no key is written anywhere."""
    program(here, "claude", ASKS.format(python=sys.executable, **CLAUDE))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mine")

    code = run_tokens("--session", "s-1", "--", "claude", "-p", "hello")

    out, err = capfd.readouterr()
    assert (code, out) == (7, "200\n")
    assert err == (
        "lectr-lab: 1 request, no price known. More: lectr-lab report --feature my-app\n"
    )
    [event] = rows(here)
    assert (event["provider"], event["feature"]) == ("anthropic", "my-app")
    assert event["org"] == "local"
    environ = (here / "environ.json").read_text()
    (here / "environ.json").unlink()
    assert '"ANTHROPIC_API_KEY": "mine"' in environ
    assert environ.count("_API_KEY") == 1
    key = environ.partition('"LECTR_KEY": "')[2].partition('"')[0]
    assert key.startswith("lc_key_")
    written = [p.read_bytes() for p in here.rglob("*") if p.is_file()]
    assert not [b for b in written if key.encode() in b or b"sk-secret" in b]
    assert LabFolder(here / "lab").segments() == []  # sealed: the proxy ended well


def test_codex_gets_arguments_without_a_key(here, capfd):
    """Before its own; the file of aider is there while it runs, and then gone."""
    program(here, "codex", '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    program(here, "aider", '#!/bin/sh\nls -l "$AIDER_MODEL_SETTINGS_FILE"\n')

    assert run_tokens("--quiet", "--", "codex", "exec", "two words") == 0
    out, err = capfd.readouterr()
    assert out.endswith("requires_openai_auth=true\nexec\ntwo words\n")
    assert "lc_key_" not in out and err == ""

    assert run_tokens("--quiet", "--", "aider") == 0
    path = capfd.readouterr().out.split()[-1]
    assert path.endswith(".json") and not Path(path).exists()


def test_the_feature_may_be_wished_and_the_org_is_the_keys(here, capfd, monkeypatch):
    """A key of the lab says whose calls they are; the task is a header too."""
    _, key = create_key(LabFolder.create(here / "lab"), "my-team")
    monkeypatch.setenv("LECTR_KEY", key)
    (here / ".git").mkdir()
    (here / ".git/HEAD").write_text("ref: refs/heads/fix-1\n")
    asks = ASKS.format(
        python=sys.executable,
        url="OPENAI_BASE_URL",
        path="/chat/completions",
        headers="OPENAI_CUSTOM_HEADERS",
        model="gpt-4o-mini",
    )

    tags = ("--feature", "do-{branch}", "--task", "extraction")
    assert run_tokens(*tags, "--", sys.executable, "-c", asks) == 7

    [event] = rows(here)
    said = event["org"], event["feature"], event["task"], event["provider"]
    assert said == ("my-team", "do-fix-1", "extraction", "openai")
    assert "--feature do-fix-1" in capfd.readouterr().err


def test_nothing_that_came_through_is_said(here, capfd):
    """With the likely reason, where there is one."""
    assert run_tokens("--", "sh", "-c", "exit 3") == 3
    assert "no request came through" in capfd.readouterr().err

    asks = (
        "import os, urllib.request as r\n"
        "try: r.urlopen(os.environ['OPENAI_BASE_URL'] + '/models')\n"
        "except r.HTTPError as error: print(error.code)\n"
    )
    assert run_tokens("--", sys.executable, "-c", asks) == 0
    out, err = capfd.readouterr()
    assert out == "401\n" and "1 refused for want of an X-Lectr-Key" in err


def test_what_cannot_be_started_is_told(here, capfd):
    """With the exit codes of shells, and what to do."""
    (here / "notes").write_text("")
    program(here, "binary", "\x7fELF")

    assert run_tokens("--", "codex") == 127
    assert "npm install -g @openai/codex" in capfd.readouterr().err
    assert run_tokens("--", "./notes") == 126
    assert run_tokens("--", "binary") == 126
    assert "binary cannot be run: " in capfd.readouterr().err


def test_mistakes_are_told_before_anything_runs(here):
    """No program; one whose calls nobody can see; a tape."""
    with pytest.raises(ConfigError, match="lectr-lab run -- claude"):
        run()
    with pytest.raises(ConfigError, match="Cursor's own service") as refused:
        run("cursor-agent", "-p", "hello")
    assert max(map(len, str(refused.value).splitlines())) <= 68
    (here / "lectr.toml").write_text('upstream = "tape:x.yaml"')
    with pytest.raises(ConfigError, match="lectr-lab replay"):
        run("sh", "-c", "exit 0")
    assert not (here / "lab").exists()


def test_whoever_ends_it_ends_the_program_first(here):
    """Which decides how; the proxy serves it to its end, and then ends too."""
    program = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print(os.environ['LECTR_BASE_URL'], flush=True)\n"
        "while True: signal.pause()\n"
    )
    command = [sys.executable, "-m", "lectr_lab.cli", "run", "--"]
    command += [sys.executable, "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline().startswith(b"http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)

        assert process.wait(WITHIN_S) == 9
        assert b"no request came through" in process.stderr.read()


def test_more_is_asked_for_by_feature():
    """And by lab, where it is not the usual one."""
    assert report_command("f", "my lab") == "lectr-lab report 'my lab' --feature f"

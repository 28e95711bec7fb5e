"""`lectr-lab record`, with a real command and a real server."""

import sys
from pathlib import Path

import pytest
from cyclopts import App

from lectr_lab.cli.record import cassette_path, record
from lectr_lab.core.errors import CassetteError, ConfigError
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette

SHIPPED = shipped_cassettes() / "llama" / "errors.yaml"
PROGRAM = """\
import os, sys, openai
client = openai.OpenAI(api_key="sk-secret-0123456789", max_retries=0)
try: client.post("/moderations", body={"model": "m", "input": "word"}, cast_to=object)
except openai.APIStatusError as error: print(error.status_code)
print(os.environ["LECTR_KEY"], file=sys.stderr)
sys.exit(7)
"""


def run(*tokens) -> int:
    """The command's exit code, as the command line calls it."""
    app = App(result_action="return_value")
    app.command(record)
    with pytest.raises(SystemExit) as ended:
        app(["record", *map(str, tokens)])
    return ended.value.code


@pytest.fixture
def upstream(tmp_path, monkeypatch, origin):
    """A server that does nothing, which is an answer too."""
    monkeypatch.chdir(tmp_path)
    origin.play(read_cassette(SHIPPED)[-1])
    return f"{origin.url}/v1"


def test_a_program_is_recorded_unchanged(upstream, capfd, tmp_path):
    """Its output and exit code are its own; its cassette and its log are written."""
    code = run("chat", "--upstream", upstream, "--", sys.executable, "-c", PROGRAM)

    out, err = capfd.readouterr()
    assert (code, out) == (7, "501\n")
    assert "lectr-lab: 1 interactions in cassettes/chat.yaml." in err
    [one] = read_cassette(tmp_path / "cassettes/chat.yaml")
    assert (one.status, one.uri) == (501, f"{upstream}/moderations")
    [event] = scan(tmp_path / "lab").collect().iter_rows(named=True)
    assert one.timing.event_id == event["event_id"].hex()
    key = next(line for line in err.splitlines() if line.startswith("lc_key_"))
    written = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    assert not [b for b in written if b"sk-secret" in b or key.encode() in b]
    assert LabFolder(tmp_path / "lab").segments() == []  # sealed


OTHERS = """\
import openai
client = openai.OpenAI(api_key="none", max_retries=0)
key = "planted-" + "0123456789"
tool = {"type": "mcp", "server_url": "https://me:" + key + "@m.test", "authorization": key}
body = {"model": "m", "input": "https://x.test/?sig=" + key, "tools": [tool]}
options = {"headers": {"Helicone-Auth": key}, "params": {"subscription-key": key}}
try: client.post("/moderations", body=body, options=options, cast_to=object)
except openai.APIStatusError: pass
"""


def test_others_secrets_are_left_out(upstream, capfd, tmp_path):
    """Of a tool, a URL, a gateway; what is not known for one is said to stay."""
    run("chat", "--upstream", upstream, "--", sys.executable, "-c", OTHERS)

    err = capfd.readouterr().err
    [one] = read_cassette(tmp_path / "cassettes/chat.yaml")
    written = b"".join(p.read_bytes() for p in (tmp_path / "cassettes").iterdir())
    assert b"planted" not in written
    assert one.request_body.count(b"[redacted]") == 3
    assert one.uri.endswith("/moderations?subscription-key=[redacted]")
    assert "4 values taken out under the name of a secret." in err
    assert "what looks like no secret stays: read it before you commit it." in err


def test_a_users_pattern_is_scrubbed(upstream, tmp_path):
    """And repeated ones are all used."""
    options = ("--scrub", "wo.d", "--scrub", "moder[a-z]*")
    run("c.yaml", *options, "--upstream", upstream, "--", sys.executable, "-c", PROGRAM)

    [one] = read_cassette(tmp_path / "c.yaml")
    assert b"word" not in one.request_body
    assert one.uri.endswith("/v1/[redacted]")


def test_a_command_that_asks_nothing_writes_nothing(upstream, capfd, tmp_path):
    """An older cassette stays."""
    code = run("chat", "--upstream", upstream, "--", sys.executable, "-c", "pass")

    assert code == 0
    assert "nothing passed, so cassettes/chat.yaml was not written" in (
        capfd.readouterr().err
    )
    assert not (tmp_path / "cassettes").exists()


def test_a_killed_command_counts_as_shells_count(upstream):
    """128 and the signal."""
    killed = "import os; os.kill(os.getpid(), 9)"

    assert run("c", "--upstream", upstream, "--", sys.executable, "-c", killed) == 137


def test_mistakes_are_told_before_anything_runs(tmp_path, monkeypatch):
    """No command; none of that name; a pattern that is none."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="What to run"):
        record("chat")
    with pytest.raises(ConfigError, match="no-such-command cannot be run: No such"):
        record("chat", "no-such-command")
    with pytest.raises(CassetteError, match="Scrub pattern 1"):
        record("chat", "true", scrub=("(",))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("chat", "cassettes/chat.yaml"),
        ("a/chat", "cassettes/a/chat.yaml"),
        ("tapes/chat.yml", "tapes/chat.yml"),
        ("v1.2", "cassettes/v1.2.yaml"),
    ],
)
def test_a_name_is_a_file_in_cassettes(name, path):
    """A file's name is taken as it is."""
    assert cassette_path(name) == Path(path)

"""`lectr-lab replay`, as a process that a program finds."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import httpx
import pytest

from lectr_lab.cli.replay import replay
from lectr_lab.core.errors import CassetteError
from lectr_lab.log.scan import scan
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassette

SHIPPED = shipped_cassettes() / "llama" / "errors.yaml"
COMMAND = """\
from cyclopts import App
from lectr_lab.cli.replay import replay
app = App()
app.command(replay)
app()
"""
PROGRAM = """\
import openai
try: openai.OpenAI(max_retries=0, api_key="any").models.list()
except openai.APIStatusError as error: print(error.status_code, error.code)
"""


def test_a_program_finds_the_tape_by_its_environment(tmp_path):
    """The lines that are printed are all it takes; Ctrl-C seals the log, not one's own."""
    options = ("--speed", "0", "--ignore", "temperature")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "replay", str(SHIPPED), *options],
        cwd=tmp_path,
        env=os.environ | {"LECTR_LAB": str(tmp_path / "lab")},
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        said = ""
        while "any will do" not in said:
            said += served.stdout.readline()
        lines = re.findall(r"export (\w+)=(.*)", said)
        variables = {name: shlex.split(value)[0] for name, value in lines}
        asked = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        one = read_cassette(SHIPPED)[1]
        body = json.loads(one.request_body) | {"temperature": "hot"}
        reply = httpx.post(
            f"{variables['OPENAI_BASE_URL']}/chat/completions",
            json=body,
            headers={"X-Lectr-Key": variables["LECTR_KEY"]},
            trust_env=False,
        )
        served.send_signal(signal.SIGINT)
        served.wait(60)

    assert asked.stdout == "501 no_recording\n"
    assert (reply.status_code, reply.content) == (one.status, one.body)
    assert sorted(scan(tmp_path / "replay-lab").collect()["status"]) == [400, 501]
    assert not (tmp_path / "lab").exists()


def test_mistakes_are_told(tmp_path, monkeypatch):
    """Nothing to replay, or nothing there."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CassetteError, match="What to replay"):
        replay()
    with pytest.raises(CassetteError, match="no cassette at"):
        replay(tmp_path / "none.yaml")

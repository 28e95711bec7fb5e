"""The plugin in a project that is not ours: other plugins, old SDKs, the small install."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from vcr.serializers import jsonserializer

from lectr_lab.tape.cassette import Chunk, Interaction, read_cassette
from strangers.install import install, installed

pytestmark = pytest.mark.slow
ASKS = Path(__file__).parent / "asks"
_LOOP = "asyncio_default_fixture_loop_scope=function"
_OF_THEIRS = "ignore::DeprecationWarning"
SAID = {
    "id": "a",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi 😀"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}
HI = {
    "messages": [{"role": "user", "content": "say hi"}],
    "model": "gpt-4o-mini",
    "temperature": 0.0,
}


@pytest.fixture(scope="session")
def python():
    """Of an environment that has them all."""
    if installed() is None and os.environ.get("CI") != "true":
        pytest.skip("needs the environment: python tests/strangers/install.py")
    return install()


def cassette(path, body, answer, kind="application/json"):
    """Text of vcrpy's form with one call."""
    return {
        "request": {
            "method": "POST",
            "uri": f"https://api.openai.com/v1/{path}",
            "body": body,
            "headers": {"content-type": [kind]},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["application/json"]},
            "body": {"string": json.dumps(answer, ensure_ascii=False)},
        },
    }


def upload():
    """As httpx writes it, with a boundary of its own."""
    lines = []
    for name, more, content in (
        ("temperature", b"", b"0.0"),
        ("model", b"", b"whisper-1"),
        ("file", b'; filename="a.mp3"\r\nContent-Type: audio/mpeg', b"ID3\xff\x00abc"),
    ):
        head = b'Content-Disposition: form-data; name="%s"' % name.encode() + more
        lines += [b"--b0", head, b"", content]
    return b"\r\n".join([*lines, b"--b0--", b""])


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A folder with a user's tests and their cassettes."""
    folder = tmp_path_factory.mktemp("project")
    for file in ASKS.glob("*.py"):
        shutil.copy(file, folder)
    hi = cassette("chat/completions", json.dumps(HI), SAID)
    (folder / "hi.json").write_text(
        jsonserializer.serialize({"version": 1, "interactions": [hi]})
    )
    kind = "multipart/form-data; boundary=b0"
    sent = cassette("audio/transcriptions", upload(), {"text": "hi"}, kind)
    (folder / "upload.yaml").write_text(yaml.safe_dump({"interactions": [sent]}))
    return folder


@pytest.fixture
def run(python, project):
    """Run some of them as a user does; what pytest said, and how many of each."""

    def ran(*arguments, **environment):
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        own = {"OPENAI_API_KEY": "", "PYTHONPATH": str(project)} | environment
        # Plugins' own settings, of this run of pytest, are not the user's.
        kept = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
        done = subprocess.run(
            command,
            cwd=project,
            env=kept | own,
            capture_output=True,
            text=True,
            check=False,
        )
        last = done.stdout.splitlines()[-1] if done.stdout else done.stderr
        counts = {what: int(n) for n, what in re.findall(r"(\d+) (\w+)", last)}
        return done.stdout + done.stderr, counts

    return ran


def test_it_works_beside_what_users_patch_with(run):
    """freezegun, time-machine, respx, pytest-httpx, -socket, -randomly, -asyncio, anyio,
    -recording and -cov, in any order; SDKs of a year ago; uploads; an emoji in JSON."""
    options = ("--cov=beside", "--cov-report=", "-Werror", "-o", _LOOP)
    said, counts = run("beside.py", *options, "-W", _OF_THEIRS)

    assert counts.get("failed", 0) == counts.get("error", 0) == 0, said
    assert counts["passed"] == 18, said


def test_two_workers_lose_nothing(run, origin, project):
    """Six requests of one module are all in its cassette, recorded or recorded anew."""
    body = json.dumps(SAID).encode()
    kind = (b"content-type", b"application/json")
    origin.play(
        Interaction(
            file="",
            number=1,
            method="POST",
            uri="",
            provider=None,
            request_headers=(),
            request_body=b"",
            status=200,
            response_headers=(kind,),
            chunks=(Chunk(0.0, body),),
        )
    )
    path = project / "shared.yaml"
    for mode in ("new_episodes", "rewrite", "none"):
        upstream = f"{origin.url}/v1"
        said, counts = run(
            "shared.py", "-n2", "-o", _LOOP, f"--record-mode={mode}", UPSTREAM=upstream
        )
        asked = {one.request_body for one in read_cassette(path)}

        assert counts.get("passed") == 6, said
        assert len(asked) == len(read_cassette(path)) == 6, said
        origin.pieces = [] if mode == "rewrite" else origin.pieces


def test_without_the_price_list_it_says_what_to_install(run, project):
    """Only of a budget; a recording is played."""
    stub = project / "stub"
    stub.mkdir()
    missing = "raise ModuleNotFoundError(name='genai_prices')"
    (stub / "genai_prices.py").write_text(missing)

    path = f"{stub}{os.pathsep}{project}"
    said, counts = run("unpriced.py", "-o", _LOOP, PYTHONPATH=path)

    assert (counts["passed"], counts["failed"]) == (1, 1), said
    assert "pip install 'lectr-lab[pytest]'" in said
    assert "Traceback" not in said

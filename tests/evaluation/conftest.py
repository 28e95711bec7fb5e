"""Recordings and a provider for the tests of evidence."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from lectr_lab.core.recommendation import Recommendation
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing
from lectr_lab.tape.write import write_cassette


def recorded(prompt, answer, model, *, feature="triage", task="classification", **more):
    """One recorded call, to be written."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    reply = {
        "model": model,
        "choices": [{"message": {"content": answer}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    }
    data = json.dumps(reply).encode()
    status = more.pop("status", 200)
    call = RecordedCall(
        method="POST",
        url="https://api.openai.com/v1/chat/completions",
        request_headers=[(b"content-type", b"application/json")],
        request_body=json.dumps(body | more).encode(),
        status=status,
        response_headers=[(b"content-type", b"application/json")],
        chunks=(data,),
    )
    chunks = ((len(data), 1.0),)
    timing = Timing(
        started_ms=0.0, head_ms=1.0, chunks=chunks, feature=feature, task=task
    )
    return call, timing


@pytest.fixture
def call():
    """Makes a recorded call."""
    return recorded


@pytest.fixture
def tape(tmp_path):
    """Writes a cassette of calls, and says where."""

    def write(*calls, name="tape.yaml"):
        write_cassette(tmp_path / name, calls)
        return tmp_path / name

    return write


@pytest.fixture
def move():
    """Makes a recommendation to move `big` to `small`."""

    def make(feature="triage", task="classification", to_model="small"):
        return Recommendation(
            org="local",
            feature=feature,
            task=task,
            provider="openai",
            from_model="big",
            to_model=to_model,
            confidence="high",
            reasons=(),
            requests=1,
            days=1,
            spend_usd=1.0,
        )

    return make


@pytest.fixture
def provider():
    """A provider on a port: answers `yes`, or with the status it is told."""
    state = SimpleNamespace(asked=[], status=200, base_url="")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            state.asked.append((self.path, dict(self.headers), json.loads(body)))
            choice = {"message": {"content": "yes"}, "finish_reason": "stop"}
            reply = {"model": "small", "choices": [choice]}
            data = json.dumps(reply if state.status < 300 else {"error": {}}).encode()
            self.send_response(state.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def cassettes() -> Path:
    """The recordings of the repository."""
    return Path(__file__).parents[2] / "cassettes"

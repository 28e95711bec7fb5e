"""A provider, and `lectr-lab serve` with several workers in front of it."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key
from lectr_lab.log.scan import scan

MODEL = "gpt-4o-mini"
_USAGE = {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110}
_WITHIN_S = 60.0


class _Handler(BaseHTTPRequestHandler):
    """Answers as the header `x-test` says: as usual, with a failure, or a stream that
    goes on until it is let go."""

    protocol_version = "HTTP/1.1"
    server: "Provider"

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        self.rfile.read(size)
        wants = self.headers.get("x-test")
        if wants == "stream":
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(b'data: {"choices": []}\n\n')
            self.wfile.flush()
            self.server.let_go.wait(_WITHIN_S)
            self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True
            return
        said: dict[str, Any] = {"id": "c", "model": MODEL, "choices": []}
        self._reply(500 if wants == "fail" else 200, said | {"usage": _USAGE})

    def _reply(self, status: int, said: dict[str, Any]) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Provider(ThreadingHTTPServer):
    """It is on this machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.let_go = threading.Event()


@dataclass
class Served:
    """A proxy that runs."""

    process: "subprocess.Popen[str]"
    base_url: str
    lab: Path
    key: str
    said: list[str] = field(default_factory=list)  # on standard output, then error
    complained: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Lectr-Key": self.key, "Authorization": "Bearer sk-test"}

    def ask(self, body: bytes | None = None, **headers: str) -> httpx.Response:
        """One request, on a connection of its own: any worker's."""
        data = body or json.dumps({"model": MODEL, "messages": []}).encode()
        with httpx.Client(timeout=30) as client:
            url = f"{self.base_url}/v1/chat/completions"
            return client.post(url, content=data, headers=self.headers | headers)

    def health(self) -> dict[str, Any]:
        """What any worker says of all."""
        said: dict[str, Any] = httpx.get(f"{self.base_url}/health", timeout=30).json()
        return said

    def pids(self) -> list[int]:
        """Of the workers that serve."""
        workers = self.health()["workers"]
        return sorted(one["pid"] for one in workers if one["status"] == "ok")

    def rows(self) -> list[dict[str, Any]]:
        """The log's, in the order of their beginning."""
        return scan(self.lab).sort("started_at").collect().to_dicts()

    def until(self, holds: Callable[[], object], why: str = "") -> None:
        """Wait for it, however busy the machine is."""
        end_s = time.monotonic() + _WITHIN_S
        while not holds():
            assert time.monotonic() < end_s, why or "it does not come"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_WITHIN_S)


Start = Callable[..., Served]


@pytest.fixture
def provider() -> Iterator[Provider]:
    """One that answers at once."""
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def start(tmp_path: Path, provider: Provider, usual_signals: None) -> Iterator[Start]:
    """Starts `lectr-lab serve` with two workers and more settings."""
    running = []

    def start_one(more: str = "", workers: int = 2) -> Served:
        port = provider.server_address[1]
        (tmp_path / "lectr.toml").write_text(
            f"port = 0\nworkers = {workers}\n{more}\n[providers.openai]\n"
            f'base_url = "http://127.0.0.1:{port}/v1"\n'
        )
        _, key = create_key(LabFolder.create(tmp_path / "lab"), "acme")
        process = subprocess.Popen(
            [sys.executable, "-m", "lectr_lab.cli", "serve"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        served = Served(process, "", tmp_path / "lab", key)
        readers = [
            threading.Thread(target=_read, args=told, daemon=True)
            for told in (
                (process.stdout, served.said),
                (process.stderr, served.complained),
            )
        ]
        for reader in readers:
            reader.start()
        running.append((process, readers))
        served.until(
            lambda: served.said or process.poll() is not None, "it does not start"
        )
        found = re.search(r"http://[\d.]+:\d+", "".join(served.said))
        served.base_url = found[0] if found else ""
        return served

    yield start_one
    provider.let_go.set()
    for process, readers in running:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for reader in readers:
            reader.join(_WITHIN_S)


def _read(stream: Any, lines: list[str]) -> None:
    with stream:
        for line in stream:
            lines.append(line)  # noqa: PERF402 - each as it comes

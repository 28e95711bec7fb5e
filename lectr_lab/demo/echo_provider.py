"""A provider on this machine that shows what reaches it, to see what a proxy sends on."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ANSWER = {
    "id": "chatcmpl-echo",
    "object": "chat.completion",
    "model": "echo",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "It has arrived."},
        }
    ],
    "usage": {"prompt_tokens": 14, "completion_tokens": 4, "total_tokens": 18},
}
REPLY = json.dumps(ANSWER).encode()
"""What it answers, whatever it is asked."""


class Arrived(NamedTuple):
    """A request as it came; its headers in their order."""

    path: str
    headers: list[tuple[str, str]]
    body: bytes


class EchoProvider:
    """Listens until `close`, or until its process ends."""

    reply = REPLY

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.arrived))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def base_url(self) -> str:
        """Where it listens: the upstream of a proxy."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        """Listen no longer. Idempotent."""
        self._server.shutdown()
        self._server.server_close()

    def __repr__(self) -> str:
        return f"<provider that keeps what arrives: {self.base_url}>"


def echo_provider() -> EchoProvider:
    """A provider on this machine that keeps what it is sent, in memory alone.

    Returns:
        It listens. `base_url` is what `start(upstream=…)` takes; `arrived` has `path`,
        `headers` and `body` of each request; `reply` is what it answers, as OpenAI
        would. `close()` ends it.

    >>> provider = echo_provider()
    >>> provider.base_url.startswith("http://127.0.0.1:"), provider.arrived
    (True, [])
    >>> provider.close()
    """
    return EchoProvider()


def _handler(arrived: list[Arrived]) -> Any:
    class Handler(BaseHTTPRequestHandler):
        """Keeps a request, and answers."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Read all of it before the reply."""
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            arrived.append(Arrived(self.path, self.headers.items(), body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("x-request-id", "req_echo")
            self.send_header("Content-Length", str(len(REPLY)))
            self.end_headers()
            self.wfile.write(REPLY)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    return Handler

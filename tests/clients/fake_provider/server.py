"""The socket of the fake provider, and its book."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from clients.fake_provider import anthropic_api, gemini_api, openai_api
from clients.fake_provider.prefix_cache import PrefixCache
from clients.fake_provider.wire import Answer, Asked, Seen, asked

_HELD_S = 120
_NATIVE_GEMINI = ("/v1beta/openai", "/openai")


class FakeProvider:
    """Vendors on a loopback port: `/openai/v1/…`, `/anthropic/v1/…`, and so on.

    Permissive but for plan tokens, which it takes in `Authorization` alone. A WebSocket
    offer gets 426. Named as a client's HTTP proxy it notes in `strangers` where else
    that client wanted to go, and lets it go nowhere. With a `PrefixCache` its counts follow
    the prompts.
    """

    def __init__(self, cache: PrefixCache | None = None) -> None:
        self._cache = cache
        self.seen: list[Seen] = []
        self.strangers: list[str] = []
        self._posts = 0
        self._failed: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Of the root: a vendor's name is to follow."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, seen: Seen) -> Answer:
        """The answer to a request, which is in the book before it is sent."""
        with self._changed:
            self._posts += seen.method == "POST"
            answer = self._answer(seen)
            self.seen.append(seen._replace(status=answer.status))
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._posts >= answer.after, _HELD_S)
        return answer

    def _answer(self, seen: Seen) -> Answer:
        if seen.header("upgrade"):
            return _error(seen, 426, "fake: no WebSocket here")
        if seen.method == "HEAD":
            return Answer([b""], {})
        try:
            request = asked(seen, self._posts)
        except ValueError as problem:
            return _error(seen, 400, f"fake: unreadable: {problem}")
        failure = self._failure(request)
        if failure:
            return _error(seen, failure)
        request = request._replace(counts=self._counts(request))
        reply = _reply(request) or _error(seen, 404, f"fake: no {seen.resource}")
        return reply._replace(after=request.steering.after)

    def _counts(self, request: Asked) -> dict[str, int] | None:
        """Of a prompt, where a cache was given; else every reply counts the same."""
        resource = request.seen.resource
        if self._cache and resource.endswith("/messages"):
            return self._cache.anthropic(request.body)
        if self._cache and resource.endswith("/responses"):
            return self._cache.openai(request.body)
        return None

    def _failure(self, request: Asked) -> int | None:
        """The status that the request's own text asks for, as often as it says."""
        if request.steering.error is None:
            return None
        status, times = request.steering.error
        what = request.seen.resource + request.steering.text
        self._failed[what] += 1
        return status if self._failed[what] <= times else None


def _reply(request: Asked) -> Answer | None:
    vendor, resource = request.seen.vendor, request.seen.resource
    if vendor == "anthropic":
        reply = anthropic_api.answer(request)
        if reply:
            return reply
    if vendor == "gemini" and not resource.startswith(_NATIVE_GEMINI):
        return gemini_api.answer(request)
    return openai_api.answer(request)


def _error(seen: Seen, status: int, message: str = "Fake.") -> Answer:
    if seen.resource.endswith("/messages"):
        return anthropic_api.error(status, message)
    if seen.vendor == "gemini":
        return gemini_api.error(status, message)
    return openai_api.error(status, message)


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # one that waits for a client's next request may be left
    provider: FakeProvider

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Its book is `FakeProvider.seen`."""

    def do_CONNECT(self) -> None:
        """A tunnel to elsewhere: none."""
        self.server.provider.strangers.append(self.path)
        self._send(Answer([b""], {}, 403))

    def _serve(self) -> None:
        if not self.path.startswith("/"):  # plain HTTP to elsewhere
            self.do_CONNECT()
            return
        body = self._body()
        vendor, _, rest = self.path.removeprefix("/").partition("/")
        seen = Seen(vendor, self.command, f"/{rest}", list(self.headers.items()), body)
        self._send(self.server.provider.answer(seen))

    do_GET = do_POST = do_HEAD = do_DELETE = _serve

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, answer: Answer) -> None:
        """The whole in one write, a stream chunk by chunk."""
        first, *more = answer.pieces
        framing = f"content-length: {len(first)}"
        if more:
            framing = "transfer-encoding: chunked"
        lines = [f"HTTP/1.1 {answer.status} Fake", framing]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        if not more:
            self.wfile.write(head + first)
            return
        self.wfile.write(head)
        for piece in answer.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

"""The pages of `lectr-lab metrics`: /metrics, /livez and /readyz, and nothing else.

On loopback whoever is on this machine may read them, by a name of this machine (DNS
rebinding: see `proxy.hosts`); elsewhere /metrics wants a token.
"""

import asyncio
import hmac
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from lectr_lab.config.urls import reachable
from lectr_lab.core.errors import ConfigError, LabError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.losses import noted_losses
from lectr_lab.metrics.otlp import Pusher
from lectr_lab.metrics.prometheus import exposed
from lectr_lab.metrics.series import Lacks, Metric, metrics
from lectr_lab.metrics.tail import Tail
from lectr_lab.proxy.hosts import Hosts
from lectr_lab.proxy.stderr import say

TOKEN_VARIABLE = "LECTR_METRICS_TOKEN"
_LEAST_CHARS = 16
_EVERY_S = 1.0
_TEXT = "text/plain; charset=utf-8"

Reply = tuple[int, bytes, str]


def token_for(host: str, environ: Mapping[str, str]) -> str | None:
    """What who asks is to send as `Authorization: Bearer …`; None: nothing.

    Raises:
        ConfigError: other machines can reach the host, and there is no token.

    >>> token_for("127.0.0.1", {})
    """
    token = environ.get(TOKEN_VARIABLE, "").strip()
    if token and len(token) < _LEAST_CHARS:
        raise ConfigError(
            f"{TOKEN_VARIABLE} is short: write {_LEAST_CHARS} characters or more."
        )
    if not token and reachable(host):
        raise ConfigError(
            f"{host!r} can be reached from other machines: set {TOKEN_VARIABLE} to "
            f"{_LEAST_CHARS} characters or more, which a scrape then sends as "
            "Authorization: Bearer …, or listen on 127.0.0.1."
        )
    return token or None


class Latest:
    """The metrics of a lab as they are when somebody asks, looked up once a second."""

    def __init__(self, lab: LabFolder, tail: Tail) -> None:
        self._lab, self.tail = lab, tail
        self._turn = threading.Lock()
        self._looked_s = -_EVERY_S
        self.problem: str | None = None

    def metrics(self) -> list[Metric]:
        """With the rows of the last second, if they could be read: else those before."""
        with self._turn:
            if time.monotonic() - self._looked_s >= _EVERY_S:
                self._look()
                self._looked_s = time.monotonic()
            return self._made()

    def _look(self) -> None:
        try:
            self.tail.look()
            self.problem = None
        except LabError as error:
            self.problem = str(error).replace(f"{self._lab.root}", "the lab")
        except Exception as error:  # noqa: BLE001 - its text could hold a client's words
            self.problem = f"The log cannot be read: {type(error).__name__}."

    def _made(self) -> list[Metric]:
        noted = noted_losses(self._lab)
        unread = noted.unread
        return metrics(
            self.tail.total, Lacks(noted.dropped, unread.batches, unread.files)
        )


def push_until(
    stop: threading.Event, latest: Latest, pusher: Pusher, every_s: float
) -> None:
    """Send the metrics again and again; a fault is said once while it lasts."""
    before = None
    while True:
        found, fault = latest.metrics(), latest.problem
        if fault is None and latest.tail.first_day:
            fault = pusher.push(found, latest.tail.first_day)
        if fault and fault != before:
            say(f"{fault}. It tries again.", code="otlp", level="warning")
        before = fault
        if stop.wait(every_s):
            return


def create_app(
    latest: Latest, names: Sequence[str], token: str | None
) -> Callable[..., Awaitable[None]]:
    """The pages, as an ASGI application.

    Args:
        latest: what is shown.
        names: by which it may be asked for, beside this machine's own.
        token: what who asks for /metrics sends; None: nothing.
    """
    hosts = Hosts(names)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        headers: RawHeaders = list(scope["headers"])
        refusal = hosts.refusal(headers)
        if refusal is not None:
            reply = refusal.status, refusal.message.encode(), _TEXT
        elif scope["method"] not in ("GET", "HEAD"):
            reply = 405, b"Only GET and HEAD.\n", _TEXT
        else:
            reply = await _page(scope["path"], headers)
        await _send(send, reply, bare=scope["method"] == "HEAD")

    async def _page(path: str, headers: RawHeaders) -> Reply:
        if path == "/livez":
            return 200, b"ok\n", _TEXT
        if path == "/readyz":
            await asyncio.to_thread(latest.metrics)
            problem = latest.problem
            return (503, f"{problem}\n".encode(), _TEXT) if problem else _OK
        if path != "/metrics":
            return 404, b"Here are /metrics, /livez and /readyz.\n", _TEXT
        if token is not None and not _is_told(headers, token):
            said = f"Send Authorization: Bearer and what {TOKEN_VARIABLE} holds.\n"
            return 401, said.encode(), _TEXT
        found = await asyncio.to_thread(latest.metrics)
        if latest.problem:  # a scrape that fails is seen; one that stands still is not
            return 503, f"{latest.problem}\n".encode(), _TEXT
        accept = b", ".join(value for name, value in headers if name == b"accept")
        body, content_type = await asyncio.to_thread(
            exposed, found, accept.decode("latin-1")
        )
        return 200, body, content_type

    return app


_OK: Reply = (200, b"ok\n", _TEXT)


def _is_told(headers: RawHeaders, token: str) -> bool:
    sent = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, rest = sent.partition(b" ")
    told = hmac.compare_digest(rest.strip(), token.encode())
    return scheme.lower() == b"bearer" and told


async def _send(send: Any, reply: Reply, *, bare: bool) -> None:
    status, body, content_type = reply
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bare else body})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return

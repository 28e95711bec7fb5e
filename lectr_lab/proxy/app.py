"""The Litestar application: the relay under /v1, and /health."""

import contextlib
import posixpath
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from sys import stderr
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, asgi, get
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler

from lectr_lab.core import refusals
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.providers import api_path
from lectr_lab.proxy.outbox import Outbox
from lectr_lab.proxy.relay import Receive, Relay, Scope, Send, refuse, relay
from lectr_lab.proxy.settings import Settings
from lectr_lab.proxy.upstream import Upstream, open_upstream


class _Callers:
    """What is counted of requests: how many are running, how many were not ours."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.unknown = 0
        self.internal_errors = 0

    def count_unknown(self) -> None:
        self.unknown += 1


def create_app(
    settings: Settings,
    outbox: Outbox,
    find_key: Callable[[str], KeyEntry | None],
    tee: Callable[[Upstream], Upstream] | None = None,
) -> Litestar:
    """Build the proxy as an ASGI application.

    Args:
        settings: where providers are, and the limits.
        outbox: takes the events; started and stopped with the application.
        find_key: the entry of an X-Lectr-Key, or None where it is not ours.
        tee: wraps the engine, to record what passes below the proxy.

    Returns:
        The application; any ASGI server can run it.
    """
    callers = _Callers()
    relays: list[Relay] = []  # one, from startup on: an engine needs its event loop

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        upstream = open_upstream(settings)
        relays.append(
            Relay(
                settings=settings,
                upstream=tee(upstream) if tee else upstream,
                find_key=find_key,
                put=outbox.put,
                unknown_caller=callers.count_unknown,
            )
        )
        outbox.start()
        try:
            yield
        finally:
            await upstream.aclose()
            outbox.stop()

    return Litestar(
        [_forward(relays, callers), _health(outbox, callers)],
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )


def _forward(relays: list[Relay], callers: _Callers) -> ASGIRouteHandler:
    @asgi("/", is_mount=True, copy_scope=False)
    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = scope.get("raw_path", b"")
        if api_path(raw_path) is None or _is_ours(raw_path):
            await refuse(send, refusals.NOT_FOUND)
            return
        callers.in_flight += 1
        try:
            await relay(relays[0], scope, receive, send)
        except Exception as error:  # noqa: BLE001 - ours: no client may hang on it
            callers.internal_errors += 1
            _say(error)
            with contextlib.suppress(RuntimeError):  # its reply has begun: cut it off
                await refuse(send, refusals.INTERNAL_ERROR)
        finally:
            callers.in_flight -= 1

    return forward


def _health(outbox: Outbox, callers: _Callers) -> HTTPRouteHandler:
    @get("/health", sync_to_thread=False)
    def health() -> dict[str, Any]:
        counts = outbox.counts()
        return {
            "status": "ok",
            "writer": "failing" if counts.failing else "ok",
            "in_flight": callers.in_flight,
            "unknown_callers": callers.unknown,
            "internal_errors": callers.internal_errors,
            "queue_depth": counts.queued,
            "events": {
                "received": counts.received,
                "written": counts.written,
                "dropped": counts.dropped,
            },
        }

    return health


def _is_ours(raw_path: bytes) -> bool:
    """`/v1/orgs…`, however it is spelt: what is sent there must reach no provider."""
    path = posixpath.normpath(unquote(raw_path.decode("latin-1")))
    return f"{path}/".startswith("/v1/orgs/")


def _say(error: Exception) -> None:
    """Where it happened, and no more: a traceback's text may hold a request's data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    print(f"lectr-lab: internal error, {type(error).__name__} at {where}", file=stderr)

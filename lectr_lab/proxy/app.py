"""The Litestar application: the relay under /v1, /v1/orgs and /health."""

import contextlib
import posixpath
import re
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, Protocol, TypeAlias

from litestar import HttpMethod, Litestar, route
from litestar.handlers import HTTPRouteHandler

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core import error_responses
from lectr_lab.core.engine import Engine
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.providers import api_path
from lectr_lab.proxy.admin import Admin, serve_admin
from lectr_lab.proxy.clock import Clock, SystemClock
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.proxy.health import Callers, health
from lectr_lab.proxy.limits import Limits
from lectr_lab.proxy.observers.outbox import Outbox
from lectr_lab.proxy.observers.shadow import Shadows
from lectr_lab.proxy.observers.spend_cap import SpendWatch
from lectr_lab.proxy.observers.token_counter import TokenCounter
from lectr_lab.proxy.relay import Relay, Send, refuse, relay
from lectr_lab.proxy.routing import Router
from lectr_lab.proxy.rules_watcher import RuleBook
from lectr_lab.proxy.server.body import Receive, Scope
from lectr_lab.proxy.server.whole_reply import send_whole
from lectr_lab.proxy.stderr import say

# However often its percent sign was encoded, in one pass: to decode a stranger's path
# again until nothing changes takes the square of its length.
_PERCENT_CODE = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")

_P = ParamSpec("_P")
Handler: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class _App(Litestar):
    """Litestar, which a request to a provider does not pass: its router and its
    exception handling cost 8 % of the processor time of one."""

    def __init__(self, forward: Handler, health: HTTPRouteHandler, **more: Any) -> None:
        super().__init__([health], openapi_config=None, logging_config=None, **more)
        self._forward = forward

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await super().__call__(scope, receive, send)
        else:
            await self._forward(scope, receive, send)


def create_app(
    settings: Settings,
    outbox: Outbox,
    find_key: Callable[[str], KeyEntry | None],
    tee: Callable[[Engine], Engine] | None = None,
    admin: Admin | None = None,
    clock: Clock | None = None,
    router: Router | None = None,
    warnings: Callable[[], list[str]] = list,
) -> Litestar:
    """Build the proxy as an ASGI application.

    Args:
        settings: where providers are, and the limits.
        outbox: takes the events; started and stopped with the application.
        find_key: the entry of an X-Lectr-Key, or None where it is not ours.
        tee: wraps the engine, to record what passes below the proxy.
        admin: answers under /v1/orgs; None: nothing is there.
        clock: what events are timed by; None: the machine's.
        router: applies rules; None: there are none.
        warnings: what else /health is to warn of.

    Returns:
        The application; any ASGI server can run it.

    Raises:
        ConfigError: shadows are wanted, and the operator has no key for them.
    """
    callers, spend = Callers(), SpendWatch(settings.orgs)
    clock = clock or SystemClock()
    router = router or Router(settings, RuleBook(None), OperatorKeys(settings, {}))
    shadows = Shadows(settings, router.keys, clock)
    counter = TokenCounter(_each(outbox.put, spend.put))
    limits = Limits(settings, time.monotonic)
    relays: list[Relay] = []  # one, from startup on: an engine needs its event loop

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        engine = open_engine(settings)
        relays.append(
            Relay(
                settings=settings,
                limits=limits,
                engine=tee(engine) if tee else engine,
                router=router,
                begin=_each(shadows.begin, counter.begin),
                find_key=find_key,
                put=_each(counter.put, shadows.ended),
                unknown_caller=callers.count_unknown,
                now_s=clock.now_s,
                utc_now=clock.utc_now,
                random_bits=clock.random_bits,
            )
        )
        shadows.start(engine, outbox.put)
        with _at_work(outbox, spend, router):
            try:
                yield
            finally:
                await shadows.stop()
                await counter.stop()
                await engine.aclose()

    forward = _forward(relays, callers, admin)
    return _App(
        forward,
        _health(outbox, callers, spend, router, shadows, counter, warnings),
        lifespan=[lifespan],
    )


def _each(*told: Callable[_P, None]) -> Callable[_P, None]:
    """Tell all of them, in this order."""

    def tell(*args: _P.args, **kwargs: _P.kwargs) -> None:
        for one in told:
            one(*args, **kwargs)

    return tell


class _Worker(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


@contextlib.contextmanager
def _at_work(*workers: _Worker) -> Iterator[None]:
    """The threads beside the event loop."""
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


def _forward(relays: list[Relay], callers: Callers, admin: Admin | None) -> Handler:
    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = scope.get("raw_path", b"")
        if _is_ours(raw_path):
            await _administer(admin, callers, scope, receive, send)
            return
        if api_path(raw_path) is None:
            await refuse(send, error_responses.NOT_FOUND)
            return
        callers.in_flight += 1
        try:
            await relay(relays[0], scope, receive, send)
        except Exception as error:  # noqa: BLE001 - ours: no client may hang on it
            callers.internal_errors += 1
            _say(error)
            with contextlib.suppress(RuntimeError):  # its reply has begun: cut it off
                await refuse(send, error_responses.INTERNAL_ERROR)
        finally:
            callers.in_flight -= 1

    return forward


def _health(
    outbox: Outbox,
    callers: Callers,
    spend: SpendWatch,
    router: Router,
    shadows: Shadows,
    counter: TokenCounter,
    warnings: Callable[[], list[str]],
) -> HTTPRouteHandler:
    @route(
        "/health", http_method=[HttpMethod.GET, HttpMethod.HEAD], sync_to_thread=False
    )
    def get_health() -> dict[str, Any]:
        return health(
            outbox.counts(),
            callers,
            spend,
            router.about(),
            shadows.about(),
            counter.counting,
            warnings(),
        )

    return get_health


async def _administer(
    admin: Admin | None, callers: Callers, scope: Scope, receive: Receive, send: Send
) -> None:
    answer = await serve_admin(admin, scope, receive, callers.count_unknown)
    if isinstance(answer, Refusal):
        await refuse(send, answer)
        return
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send_whole(send, 201, headers, answer)


def _is_ours(raw_path: bytes) -> bool:
    """`/v1/orgs…`, however it is spelt: what is sent there must reach no provider."""
    if b"%" not in raw_path and b"orgs" not in raw_path.lower():
        return False  # nearly every request
    plain = _PERCENT_CODE.sub(lambda code: bytes.fromhex(code[1].decode()), raw_path)
    path = posixpath.normpath(plain.lower()).removeprefix(b"/openai")
    return path.startswith(b"/v1/orgs")


def _say(error: Exception) -> None:
    """Where it happened, and no more: a traceback's text may hold a request's data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    say(f"internal error, {type(error).__name__} at {where}")

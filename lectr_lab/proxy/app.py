"""The application: the relay under /v1, and what is ours, which Litestar serves."""

import asyncio
import contextlib
import posixpath
import re
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.plugins import PluginProtocol

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core import error_responses
from lectr_lab.core.engine import Engine
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.paths import api_path
from lectr_lab.proxy.admin import Admin, admin_routes
from lectr_lab.proxy.clock import Clock, SystemClock
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.health import Callers, merged
from lectr_lab.proxy.health_of_all import told_by_all
from lectr_lab.proxy.hosts import only_by
from lectr_lab.proxy.key_in_path import key_as_header
from lectr_lab.proxy.observers.invalid_provider import InvalidProviders
from lectr_lab.proxy.observers.observer import Observer, Observers
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch
from lectr_lab.proxy.observers.retries import Retries
from lectr_lab.proxy.observers.spending import Spending
from lectr_lab.proxy.observers.token_counter import TokenCounter
from lectr_lab.proxy.own_replies import Refused, on_refused, on_unknown
from lectr_lab.proxy.pages import open_pages
from lectr_lab.proxy.readiness import Readiness
from lectr_lab.proxy.relay import Send, refuse, relay
from lectr_lab.proxy.reload import Reload
from lectr_lab.proxy.routing import Router
from lectr_lab.proxy.rules_watcher import RuleBook
from lectr_lab.proxy.server.bodies import BodiesInFlight, give_back_large_blocks
from lectr_lab.proxy.server.body import Receive, Scope
from lectr_lab.proxy.server.whole_reply import in_one_write
from lectr_lab.proxy.service import Lasting, Made, Service
from lectr_lab.proxy.shared.port import Port
from lectr_lab.proxy.stderr import say

if TYPE_CHECKING:  # only with a budget: prices are large
    from lectr_lab.proxy.gates.budgets import Budgets

# However often its percent sign was encoded, in one pass: to decode a stranger's path
# again until nothing changes takes the square of its length.
_PERCENT_CODE = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")

_TIDIES_EVERY_S = 0.5
_MOST_REMEMBERED = 64  # paths, of at most 8 KB each


class _App(Litestar):
    """Litestar, which serves all that is ours. Requests to providers alone pass by it:
    its router and its exception handling cost 8 % of the processor time of one."""

    def __init__(
        self, proxy: "_Proxy", readiness: Readiness, reload: Reload | None, **more: Any
    ) -> None:
        super().__init__(openapi_config=None, logging_config=None, **more)
        self._proxy = proxy
        self.readiness = readiness  # the server says when it is to stop
        self.reload = reload

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        """None. They are for models of pydantic and attrs, which what is ours has none
        of: where an SDK brought them, a proxy would take a third longer to start."""
        return plugins

    def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> Coroutine[Any, Any, None]:
        if scope["type"] != "http":
            return super().__call__(scope, receive, send)
        if self._proxy.service.settings.key_in_path:
            scope = key_as_header(scope)
        if _is_for_a_provider(scope.get("raw_path", b"")):
            return self._proxy.forward(scope, receive, send)
        return super().__call__(scope, receive, in_one_write(send))


def create_app(
    settings: Settings,
    log: Observer,
    find_key: Callable[[str], KeyEntry | None],
    tee: Callable[[Engine], Engine] | None = None,
    admin: Admin | None = None,
    clock: Clock | None = None,
    router: Router | None = None,
    warnings: Callable[[], list[str]] = list,
    engine: Engine | None = None,
    also: Sequence[Observer] = (),
    instance: str = "",
    keyed_hash: KeyedHash | None = None,
    budgets: "Budgets | None" = None,
    not_followed: Sequence[str] = (),
    why_not_ready: Callable[[], Iterable[str]] = tuple,
    reread: Callable[[Made], Made] | None = None,
    port: Port | None = None,
) -> Litestar:
    """Build the proxy as an ASGI application.

    Args:
        settings: where providers are, and the limits.
        log: takes the events; started and stopped with the application.
        find_key: the entry of an X-Lectr-Key, or None where it is not ours.
        tee: wraps the engine, to record what passes below the proxy.
        admin: answers under /v1/orgs; None: nothing is there.
        clock: what events are timed by; None: the machine's.
        router: applies rules; None: there are none.
        warnings: what else /health is to warn of.
        engine: asked in the place of the providers; None: they are asked.
        also: what else looks at requests that pass.
        instance: what /health calls this process; who knows it knows whose lab it is.
        keyed_hash: of what may name a person; None: it is left out of the log.
        budgets: what may be spent.
        not_followed: of these settings, in sentences; /health warns of it.
        why_not_ready: what /readyz is to say beside starting and ending; no name in it.
        reread: reads the settings again, at SIGUSR2, given what is in force; None: nothing does.
        port: the other workers of this one's port; None: there are none.

    Returns:
        The application; any ASGI server can run it.

    Raises:
        ConfigError: shadows are wanted, and the operator has no key for them.
    """
    callers, clock = Callers(), clock or SystemClock()
    router = router or Router(settings, RuleBook(None), OperatorKeys(settings, {}))
    facts, invalid = FactsReader(), InvalidProviders()
    spenders = Observers(log, spending := Spending(budgets), *also)
    counted = Observers(TokenCounter(spenders))
    lasting = Lasting(
        log=log,
        watched_with=partial(Observers, *_remembering(counted, clock, port)),
        find_key=find_key,
        callers=callers,
        clock=clock,
        facts=facts,
        invalid=invalid,
        bodies=BodiesInFlight(settings.limits.bodies_in_flight_bytes),
        tee=tee,
        engine=engine,
        keyed_hash=keyed_hash,
        is_shared=port is not None,
    )
    made = Made(settings, router, budgets, tuple(not_followed))
    proxy = _Proxy(lasting, made, spending, spenders)
    reload = Reload(reread, proxy) if reread else None
    readiness = Readiness(why_not_ready)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        give_back_large_blocks()
        proxy.service.open()
        proxy.service.observers.start()
        if reload:
            reload.listen()
        readiness.started = True
        try:
            yield
        finally:
            readiness.started = False
            if reload:
                await reload.stop()
            await proxy.stop()

    def told() -> list[dict[str, Any]]:
        said = [*warnings(), *proxy.service.made.warnings]
        own = [callers.about(), lasting.bodies.about(), invalid.about()]
        own += [{"instance": instance, "warnings": said}]
        return [*own, *([reload.about()] if reload else []), *proxy.service.about()]

    pages = open_pages(
        partial(told_by_all, told, port), readiness, admin.secret if admin else None
    )
    return _App(
        proxy,
        readiness,
        reload,
        route_handlers=[*pages, admin_routes(admin, callers.count_unknown)],
        guards=[only_by(lambda: proxy.service.hosts)],
        exception_handlers={Refused: on_refused, 404: on_unknown, 405: on_unknown},
        lifespan=[partial(_joined, told, port), lifespan],
    )


@asynccontextmanager
async def _joined(
    told: Callable[[], list[dict[str, Any]]], port: Port | None, _: Litestar
) -> AsyncIterator[None]:
    """While this holds, the other workers can be asked, and ask this one."""
    if port is None:
        yield
        return
    port.how_it_is = lambda: merged(told())
    await port.start()
    try:
        yield
    finally:
        port.stop()


def _remembering(
    counted: Observers, clock: Clock, port: Port | None
) -> tuple[PrefixWatch, Retries]:
    """Those that remember earlier requests, of all workers where there are several."""
    retries = Retries(shared=port.failures) if port else Retries()
    return PrefixWatch(counted, clock.now_s, port), retries


class _Proxy:
    """The service in force, and those whose last requests still run."""

    def __init__(
        self, lasting: Lasting, made: Made, spending: Spending, spenders: Observers
    ) -> None:
        self.lasting, self._spending, self._spenders = lasting, spending, spenders
        self.service = Service(lasting, made)
        self._retiring: dict[Service, asyncio.Task[None]] = {}

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that is for a provider."""
        service, callers = self.service, self.lasting.callers
        callers.in_flight += 1
        service.in_flight += 1
        try:
            assert service.relay is not None  # the application has started
            await relay(service.relay, scope, receive, send)
        except Exception as error:  # noqa: BLE001 - ours: no client may hang on it
            callers.internal_errors += 1
            _say(error)
            with contextlib.suppress(RuntimeError):  # its reply has begun: cut it off
                await refuse(scope, send, error_responses.INTERNAL_ERROR)
        finally:
            callers.in_flight -= 1
            service.in_flight -= 1

    def follow(self, made: Made) -> None:
        """Settings were read again: requests that come now are served by them."""
        before = self.service
        try:
            service = Service(self.lasting, made, before)
            service.open()
        except Exception:
            if made.budgets and made.budgets is not self._spending.now:
                made.budgets.stop()
            raise
        self._spending.follow(made.budgets)
        self._spenders.look_again()
        self.service = service
        task = asyncio.create_task(self._retire(before))
        self._retiring[before] = task
        task.add_done_callback(lambda _: self._retiring.pop(before, None))

    async def stop(self) -> None:
        """The application ends: what runs by now is broken off."""
        retiring, lasting = list(self._retiring.items()), self.lasting
        for before, task in retiring:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await before.close()
        self.service.made.router.stop()
        await lasting.facts.stop()
        await self.service.observers.stop()
        await self.service.close()
        if lasting.engine is not None:
            await lasting.engine.aclose()

    async def _retire(self, before: Service) -> None:
        await before.retire()
        while not self._spending.tidy():  # an event may be counted late
            await asyncio.sleep(_TIDIES_EVERY_S)
        self._spenders.look_again()


@lru_cache(_MOST_REMEMBERED)
def _is_for_a_provider(raw_path: bytes) -> bool:
    """Under /v1, but for `/v1/orgs…`, however it is spelt: what is sent there must
    reach no provider."""
    if api_path(raw_path) is None:
        return False
    if b"%" not in raw_path and b"orgs" not in raw_path.lower():
        return True  # nearly every request
    plain = _PERCENT_CODE.sub(lambda code: bytes.fromhex(code[1].decode()), raw_path)
    path = posixpath.normpath(b"/" + plain.lower().lstrip(b"/")).removeprefix(
        b"/openai"
    )
    return not path.startswith(b"/v1/orgs")


def _say(error: Exception) -> None:
    """Where it happened, and no more: a traceback's text may hold a request's data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    line = f"internal error, {type(error).__name__} at {where}"
    say(line, code="internal_error", level="error")

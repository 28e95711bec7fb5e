"""The application: the relay under /v1, and what is ours, which Litestar serves."""

import contextlib
import posixpath
import re
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from litestar import Litestar

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core import error_responses
from lectr_lab.core.engine import Engine
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.keys import KeyEntry
from lectr_lab.core.routing.paths import api_path
from lectr_lab.proxy.admin import Admin, admin_routes
from lectr_lab.proxy.clock import Clock, SystemClock
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.gates.gate import Gates
from lectr_lab.proxy.gates.keys import EnabledKeys
from lectr_lab.proxy.gates.limits import limits
from lectr_lab.proxy.heads import Heads
from lectr_lab.proxy.health import Callers
from lectr_lab.proxy.hosts import only_by
from lectr_lab.proxy.key_in_path import key_as_header
from lectr_lab.proxy.observers.invalid_provider import InvalidProviders
from lectr_lab.proxy.observers.observer import Observer, Observers
from lectr_lab.proxy.observers.prefix_watch import PrefixWatch
from lectr_lab.proxy.observers.retries import Retries
from lectr_lab.proxy.observers.shadow import Shadows
from lectr_lab.proxy.observers.token_counter import TokenCounter
from lectr_lab.proxy.own_replies import Refused, on_refused, on_unknown
from lectr_lab.proxy.pages import open_pages
from lectr_lab.proxy.readiness import Readiness
from lectr_lab.proxy.relay import Relay, Send, refuse, relay
from lectr_lab.proxy.routing import Router
from lectr_lab.proxy.rules_watcher import RuleBook
from lectr_lab.proxy.server.bodies import BodiesInFlight, give_back_large_blocks
from lectr_lab.proxy.server.body import Receive, Scope
from lectr_lab.proxy.server.whole_reply import in_one_write
from lectr_lab.proxy.stderr import say
from lectr_lab.proxy.waits import Waits

if TYPE_CHECKING:  # only with a budget: prices are large
    from lectr_lab.proxy.gates.budgets import Budgets

# However often its percent sign was encoded, in one pass: to decode a stranger's path
# again until nothing changes takes the square of its length.
_PERCENT_CODE = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")

Handler: TypeAlias = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


class _App(Litestar):
    """Litestar, which serves all that is ours. Requests to providers alone pass by it:
    its router and its exception handling cost 8 % of the processor time of one."""

    def __init__(
        self, forward: Handler, key_in_path: bool, readiness: Readiness, **more: Any
    ) -> None:
        super().__init__(openapi_config=None, logging_config=None, **more)
        self._forward, self._key_in_path = forward, key_in_path
        self.readiness = readiness  # the server says when it is to stop

    def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> Coroutine[Any, Any, None]:
        if scope["type"] != "http":
            return super().__call__(scope, receive, send)
        if self._key_in_path:
            scope = key_as_header(scope)
        if _is_for_a_provider(scope.get("raw_path", b"")):
            return self._forward(scope, receive, send)
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
    why_not_ready: Callable[[], Iterable[str]] = tuple,
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
        budgets: what may be spent; it is among `also` as well.
        why_not_ready: what /readyz is to say beside starting and ending; no name in it.

    Returns:
        The application; any ASGI server can run it.

    Raises:
        ConfigError: shadows are wanted, and the operator has no key for them.
    """
    callers, clock = Callers(), clock or SystemClock()
    readiness = Readiness(why_not_ready)
    router = router or Router(settings, RuleBook(None), OperatorKeys(settings, {}))
    facts, invalid = FactsReader(), InvalidProviders()
    bodies = BodiesInFlight(settings.limits.bodies_in_flight_bytes)
    shadows = Shadows(settings, router.keys, clock, log.ended, facts, budgets)
    counted = Observers(TokenCounter(Observers(log, *also)))
    observers = Observers(PrefixWatch(counted, clock.now_s), Retries(), shadows)
    gates = _gates(settings, budgets)
    relays: list[Relay] = []  # one, from startup on: an engine needs its event loop

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        give_back_large_blocks()
        shadows.engine = asking = engine or open_engine(settings)
        relays.append(
            Relay(
                settings=settings,
                gates=gates,
                engine=tee(asking) if tee else asking,
                router=router,
                observers=observers,
                facts=facts,
                bodies=bodies,
                waits=Waits(settings.response_timeout_s),
                heads=Heads(settings.registry(), router.keys.secrets),
                find_key=find_key,
                unknown_caller=callers.count_unknown,
                invalid_provider=invalid.seen,
                is_recorded=tee is not None,
                keyed_hash=keyed_hash,
                now_s=clock.now_s,
                utc_now=clock.utc_now,
                random_bits=clock.random_bits,
            )
        )
        observers.start()
        router.start()
        readiness.started = True
        try:
            yield
        finally:
            readiness.started = False
            relays.clear()
            router.stop()
            await facts.stop()
            await observers.stop()
            await asking.aclose()

    def told() -> list[dict[str, Any]]:
        own = [callers.about(), bodies.about(), router.about(), invalid.about()]
        own += [{"instance": instance, "warnings": warnings()}]
        return [*own, *observers.about(), *gates.about()]

    pages = open_pages(told, readiness, admin.secret if admin else None)
    return _App(
        _forward(relays, callers),
        settings.key_in_path,
        readiness,
        route_handlers=[*pages, admin_routes(admin, callers.count_unknown)],
        guards=[only_by([settings.host, *settings.allowed_hosts])],
        exception_handlers={Refused: on_refused, 404: on_unknown, 405: on_unknown},
        lifespan=[lifespan],
    )


def _gates(settings: Settings, budgets: "Budgets | None") -> Gates:
    """The budgets last: what another refuses sets nothing aside."""
    stopping = (budgets,) if budgets and budgets.is_gate else ()
    return Gates(EnabledKeys(), *limits(settings.orgs, time.monotonic), *stopping)


def _forward(relays: list[Relay], callers: Callers) -> Handler:
    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        callers.in_flight += 1
        try:
            await relay(relays[0], scope, receive, send)
        except Exception as error:  # noqa: BLE001 - ours: no client may hang on it
            callers.internal_errors += 1
            _say(error)
            with contextlib.suppress(RuntimeError):  # its reply has begun: cut it off
                await refuse(scope, send, error_responses.INTERNAL_ERROR)
        finally:
            callers.in_flight -= 1

    return forward


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
    say(f"internal error, {type(error).__name__} at {where}")

"""What follows from the settings, and is made anew when they are read again.

A request is served to its end by the service that it met, so that none is lost when
another takes its place. What has to outlive that, such as the log, is `Lasting`.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import Engine
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.keys import KeyEntry
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.clock import Clock
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.gates.gate import Gate, Gates
from lectr_lab.proxy.gates.keys import EnabledKeys
from lectr_lab.proxy.gates.limits import limits
from lectr_lab.proxy.heads import Heads
from lectr_lab.proxy.health import Callers
from lectr_lab.proxy.hosts import Hosts
from lectr_lab.proxy.observers.invalid_provider import InvalidProviders
from lectr_lab.proxy.observers.observer import Observer, Observers
from lectr_lab.proxy.observers.shadow import Shadows
from lectr_lab.proxy.relay import Relay
from lectr_lab.proxy.routing import Router
from lectr_lab.proxy.server.bodies import BodiesInFlight
from lectr_lab.proxy.waits import Waits

if TYPE_CHECKING:  # only with a budget: prices are large
    from lectr_lab.proxy.gates.budgets import Budgets

_LOOKS_EVERY_S = 0.1


class Made(NamedTuple):
    """Settings as read, and what was made of them outside of the event loop."""

    settings: Settings
    router: Router
    budgets: "Budgets | None" = None
    warnings: tuple[str, ...] = ()
    said: str = ""  # what a reload is to tell the operator


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """What stays for as long as the process."""

    log: Observer
    watched_with: Callable[[Observer], Observers]  # those that last, and one more
    find_key: Callable[[str], KeyEntry | None]
    callers: Callers
    clock: Clock
    facts: FactsReader
    invalid: InvalidProviders
    bodies: BodiesInFlight
    tee: Callable[[Engine], Engine] | None = None
    engine: Engine | None = None
    keyed_hash: KeyedHash | None = None
    is_shared: bool = False  # with other workers of a port


class Service:
    """One reading of the settings, in force.

    Args:
        lasting: what was there before, and will be there afterwards.
        made: what was read.
        before: the service whose place it takes; its limits have counted already.

    Raises:
        ConfigError: shadows are wanted, and the operator has no key for them.
    """

    def __init__(
        self, lasting: Lasting, made: Made, before: "Service | None" = None
    ) -> None:
        settings, router, budgets = made[:3]
        self.made, self.settings, self._lasting = made, settings, lasting
        self.shadows = Shadows(
            settings,
            router.keys,
            lasting.clock,
            lasting.log.ended,
            lasting.facts,
            budgets,
        )
        self.observers = lasting.watched_with(self.shadows)
        state = LabFolder(Path(settings.lab)).state if lasting.is_shared else None
        self.limits = limits(settings.orgs, time.monotonic, state)
        if before is not None:
            _go_on(self.limits, before.limits)
        # The budgets last: what another refuses sets nothing aside.
        stopping = (budgets,) if budgets and budgets.is_gate else ()
        self.gates = Gates(EnabledKeys(), *self.limits, *stopping)
        self.hosts = Hosts([settings.host, *settings.allowed_hosts])
        self.in_flight = 0
        self._before, self._engine = before, lasting.engine
        self._engine_goes_on = lasting.engine is not None
        self.relay: Relay | None = None  # from `open` on

    def open(self) -> None:
        """Ready for requests. Call it inside the event loop."""
        before, lasting, router = self._before, self._lasting, self.made.router
        if self._engine is None and before and _same_engine(before, self):
            self._engine, before._engine_goes_on = before._engine, True
        self._before = None
        asking = self._engine = self._engine or open_engine(self.settings)
        self.shadows.engine = asking
        self.relay = Relay(
            settings=self.settings,
            gates=self.gates,
            engine=lasting.tee(asking) if lasting.tee else asking,
            router=router,
            observers=self.observers,
            facts=lasting.facts,
            bodies=lasting.bodies,
            waits=Waits(self.settings.response_timeout_s),
            heads=Heads(self.settings.registry(), router.keys.secrets),
            find_key=lasting.find_key,
            unknown_caller=lasting.callers.count_unknown,
            invalid_provider=lasting.invalid.seen,
            is_recorded=lasting.tee is not None,
            keyed_hash=lasting.keyed_hash,
            now_s=lasting.clock.now_s,
            utc_now=lasting.clock.utc_now,
            random_bits=lasting.clock.random_bits,
        )
        router.start()

    def about(self) -> list[dict[str, Any]]:
        """For whoever looks at /health."""
        observed, gates = self.observers.about(), self.gates.about()
        return [self.made.router.about(), *observed, *gates]

    async def retire(self) -> None:
        """Another has its place: end with the last of its requests."""
        self.made.router.stop()
        while self.in_flight or self.shadows.running:
            await asyncio.sleep(_LOOKS_EVERY_S)
        await self.close()

    async def close(self) -> None:
        """Let go of what no other service goes on with."""
        self.made.router.stop()
        await self.shadows.stop()
        if self._engine is not None and not self._engine_goes_on:
            await self._engine.aclose()


def _go_on(limits: tuple[Gate, ...], before: tuple[Gate, ...]) -> None:
    """Limits of the same kind count on where those before them are."""
    for gate in limits:
        for old in before:
            go_on = getattr(gate, "go_on", None)
            if type(old) is type(gate) and go_on is not None:
                go_on(old)


def _same_engine(one: Service, other: Service) -> bool:
    """Connections that wait can be used on. A bundle may have another content."""
    names = ("engine", "connect_timeout_s", "http_proxy", "ca_bundle")
    of = [
        [getattr(service.settings, name) for name in names] for service in (one, other)
    ]
    return of[0] == of[1] and other.settings.ca_bundle is None

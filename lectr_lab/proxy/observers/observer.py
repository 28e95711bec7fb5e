"""Observers: what is told of each request, and never in its way.

One that raises is counted, and the others are told all the same; one that is slow five
times within a minute is told no more (`guard` says why). A body is lent: once `begin` has
returned it cannot be read, so that keeping it is a decision, with a bound (`capture`).
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.proxy.guard import SLOW_S, Guard


class Observer(Protocol):
    """What looks at requests that pass. One with `at_end_only = True` is not told of
    those that begin; one with `needed = True` is told however slow it is."""

    name: str

    @property
    def active(self) -> bool:
        """There is something to do: else it is not told of requests."""

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """A request is about to be sent. `exchange.taps` are shown the reply's bytes,
        each until it returns something true."""

    def ended(self, event: Event) -> None:
        """It is over, and its client served."""

    def about(self) -> dict[str, Any]:
        """What /health says of it: any keys, and warnings as `health` takes them."""

    def start(self) -> None:
        """The proxy begins, inside its event loop."""

    def stop(self) -> Awaitable[None] | None:
        """It ends; what is returned is waited for."""


class Observers:
    """Tells each, in its order. The first is the log: it is never left out.

    Args:
        log: takes the events.
        others: what else looks on.
        now_s: any clock that goes on.
    """

    def __init__(
        self,
        log: Observer,
        *others: Observer,
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._log, self._now_s = log, now_s
        self._log_guard = Guard(log.name, now_s, needed=True)
        self._others = [
            (Guard(one.name, now_s, needed=getattr(one, "needed", False)), one)
            for one in others
        ]
        self.look_again()

    def look_again(self) -> None:
        """Which of them have something to do may have changed."""
        self._told = [pair for pair in self._others if pair[1].active]
        self._all_told = [(self._log_guard, self._log), *self._told]
        self._told_first = [
            pair
            for pair in self._all_told
            if not getattr(pair[1], "at_end_only", False)
        ]

    def begin(self, exchange: Exchange, body: bytes | memoryview) -> None:
        """A request is about to be sent."""
        if not self._told_first:
            return
        if type(body) is memoryview:  # lent already, to one with others behind it
            self._begin(exchange, body)
            return
        with memoryview(body) as lent:
            self._begin(exchange, lent)

    def _begin(self, exchange: Exchange, lent: memoryview) -> None:
        taps, at_s = exchange.taps, self._now_s()
        for guard, observer in self._told_first:
            if guard.off:
                continue
            before = len(taps)
            try:
                observer.begin(exchange, lent)
            except Exception:  # noqa: BLE001 - its text could hold a client's words
                guard.raised()
            if len(taps) > before:
                taps[before:] = [_guarded(guard, tap) for tap in taps[before:]]
            began_s, at_s = at_s, self._now_s()
            if at_s - began_s >= SLOW_S:
                guard.was_slow(began_s)

    def ended(self, event: Event) -> None:
        """A request is over."""
        at_s = self._now_s()
        for guard, observer in self._all_told:
            if guard.off:
                continue
            try:
                observer.ended(event)
            except Exception:  # noqa: BLE001
                guard.raised()
            began_s, at_s = at_s, self._now_s()
            if at_s - began_s >= SLOW_S:
                guard.was_slow(began_s)

    def about(self) -> list[dict[str, Any]]:
        """What /health says of them, and of their faults."""
        pairs = [(self._log_guard, self._log), *self._others]
        told = [(guard.call(one.about) or {}, guard) for guard, one in pairs]
        return [part for said, guard in told for part in (said, guard.about())]

    def start(self) -> None:
        """The proxy begins: the log first."""
        self._log.start()
        for guard, observer in self._others:
            guard.call(observer.start)

    async def stop(self) -> None:
        """It ends: the log last, for the others may still have something for it."""
        for guard, observer in reversed(self._others):
            await _stopped(guard, observer)
        await _stopped(self._log_guard, self._log)


def _guarded(guard: Guard, tap: Callable[[bytes], object]) -> Callable[[bytes], object]:
    return lambda chunk: guard.call(tap, chunk)


async def _stopped(guard: Guard, observer: Observer) -> None:
    ending = guard.call(observer.stop)
    if ending is not None:
        try:
            await ending
        except Exception:  # noqa: BLE001 - the next one is to be stopped as well
            return

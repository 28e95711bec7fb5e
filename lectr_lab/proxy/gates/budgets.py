"""Budgets: the dearest that a request can cost is set aside before it is sent, where one
of them stops, and what it did cost is put in the place of that when it is over.

Without a budget none of this is there; with those that warn alone, nothing of it is
before the request. Prices are in memory: a sum takes microseconds. Requests that are
over are counted many at once, which takes half the time of each on its own.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from lectr_lab.budgets.bounds import Asked, Bounds
from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import Meter, Sum, Sums
from lectr_lab.budgets.store import Reached, Store
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.event_values import NOT_CALLS
from lectr_lab.core.exchange import Exchange
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.gates import budget_words as words
from lectr_lab.proxy.gates.budget_dearest import Dearest
from lectr_lab.proxy.gates.budget_prices import Prices
from lectr_lab.proxy.gates.budget_recovery import Recovery
from lectr_lab.proxy.stderr import say

_say = partial(say, code="budget", level="warning")
_NOT_CALLS = frozenset(NOT_CALLS)
_FETCHES = frozenset({"/v1/responses/*", "/openai/v1/responses/*"})
_NEVER_SENT = frozenset({"refused", "unreachable"})
_MOST_PENDING = 10_000
_PAID_WITHIN_S = 0.05
_PAID_AGAIN_S = 0.5
_MOST_OVER = 64


_Kept: TypeAlias = tuple[Sequence[Sum], int, str]
"""What was set aside for a request that runs: where, 1e-12 USD, and for which key."""

_Cost: TypeAlias = tuple[int, bool, bool]
"""What a request counts as, in 1e-12 USD; whether that is unpriced, or estimated."""

_NONE_KEPT: tuple[Sequence[Sum], int, None] = ((), 0, None)
_NOTHING: _Cost = (0, False, False)
_UNPRICED: _Cost = (0, True, False)


class Budgets:
    """A gate, where one of them stops; and what is told of each request that is over.

    Args:
        lab: a lab folder that exists.
        meters: the budgets.
        prices: what requests cost, and can cost at most.
        say: prints a line for the operator.

    Raises:
        OSError: the sums cannot be opened.
    """

    name, at_head = "budgets", False
    at_end_only = needed = counts_nothing = active = True

    def __init__(
        self,
        lab: LabFolder,
        meters: Sequence[Meter],
        prices: Prices,
        say: Callable[[str], None] = _say,
    ) -> None:
        self._lab, self._meters, self._prices, self._say = lab, meters, prices, say
        self._stopping = Sums([meter for meter in meters if meter.stops])
        self._all = Sums(meters)
        self._bounds = Bounds()
        self._dearest = Dearest(prices, self._bounds)
        self._kept: dict[bytes, _Kept] = {}
        # Of responses that are made in the background: what they will have used is not
        # known yet, and counted by its bound. This takes that back.
        self._pending: dict[str, list[Change]] = {}
        self._store = Store(lab, meters, reopened=self._read_log)
        self._recovery = Recovery()
        self._paying = False
        self._over: list[Event] = []  # and not counted yet

    @property
    def is_gate(self) -> bool:
        """It looks at requests before they are sent: one of the budgets stops, or goes
        by the key, which no event has."""
        return bool(self._stopping) or self._all.by_key

    def admit(self, exchange: Exchange, *, pays: bool = False) -> Refusal | None:
        """Set aside what a request can cost, or say why it may not be sent.

        Args:
            exchange: the request, with its target.
            pays: it is the operator's key that pays, whatever the client's is.
        """
        if exchange.operation in _NOT_CALLS or not (pays or _is_billed(exchange)):
            return None
        if self._over and not self._store.busy:
            self._count()
        at_s = exchange.started_at.timestamp()
        sums, pusd = self._stopping_sums(exchange, at_s), 0
        if sums:
            pusd, certain = self._dearest.of(exchange, at_s)
            if pusd:
                reached = self._store.reserve(sums, pusd, certain=certain)
                if reached is not None:
                    return self._refusal(reached, exchange.run.client)
        held = sums if pusd else ()
        self._kept[exchange.event_id] = held, pusd, exchange.key.key_id
        return None

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """What it can cost was set aside."""

    def ended(self, event: Event) -> None:
        """A request is over: it is soon counted what it cost."""
        self._over.append(event)
        if len(self._over) >= _MOST_OVER:
            self._count()
        if not self._paying:
            self._pay_soon()

    def _count(self) -> None:
        """Count what is over. Where that fails for one, the others are counted, and what
        was set aside for it stays so."""
        over, self._over = self._over, []
        for event in over:
            try:
                self._count_one(event)
            except Exception:  # noqa: BLE001 - its text could hold a client's words
                self._store.failed += 1

    def _count_one(self, event: Event) -> None:
        held, pusd, key_id = self._kept.pop(event.event_id, _NONE_KEPT)
        if event.outcome in _NEVER_SENT or event.provider is None:
            self._give_back(held, pusd)
            return
        response = event.provider_response_id
        if event.path in _FETCHES and response is not None and self._is_counted(event):
            return
        cost = self._cost(event)
        self._bounds.learn(event)
        if self._pending and response is not None:
            self._store.settle(self._pending.pop(response, ()))
        if event.credential == "plan":
            self._give_back(held, pusd)
            return
        if event.operation in _NOT_CALLS and cost == _NOTHING:
            return
        sums = held
        if held:
            self._store.count(held, pusd, *cost)
        if len(held) < len(self._meters):
            others = self._other_sums(event, held, key_id)
            self._store.count(others, 0, *cost)
            sums = [*held, *others]
        if event.operation == "responses" and response is not None and sums:
            self._note_response(event, cost, sums)

    @property
    def holding(self) -> bool:
        """Something is set aside for a request that runs."""
        return bool(self._kept)

    def holds(self, event_id: bytes) -> bool:
        """Something is set aside for this request."""
        return event_id in self._kept

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return words.about(self._lab, self._meters, self._store)

    def look_back(self) -> None:
        """Look in the log for what was spent before; where sums begin, until it is known:
        the proxy does not serve yet."""
        self._read_log(wait=bool(self._store.new))

    def start(self) -> None:
        """It counts since it was made."""

    def stop(self) -> None:
        """Write what is still owed."""
        self._recovery.stop()
        self._count()
        self._store.close()
        self._tell()

    def _read_log(self, *, wait: bool = False) -> None:
        if wait and not (self._lab.days() or self._lab.segments()):
            self._store.nothing_to_read(time.time())
        elif self._store.alone or self._store.new:
            before = {m.id: self._store.spent(m) for m in self._meters}
            read = self._store.read_up_to_s()
            self._recovery.start(self._lab, self._meters, before, read, wait=wait)

    def _stopping_sums(self, exchange: Exchange, at_s: float) -> Sequence[Sum]:
        """Where a request counts that may be stopped, by the event's own words; what no
        such budget goes by is not looked for."""
        stopping, key = self._stopping, exchange.key
        feature = user = session = None
        if stopping.by_feature:
            feature = exchange.feature
        if stopping.by_user or stopping.by_session:
            user, session = exchange.run.user, exchange.run.session
        return stopping.of(key.org, key.key_id, feature, user, session, at_s)

    def _pay_soon(self) -> None:
        """Write with what comes in the meantime: a lock is had once for all of it."""
        self._paying = True
        asyncio.get_running_loop().call_later(_PAID_WITHIN_S, self._pay)

    def _pay(self) -> None:
        self._paying = False
        self._count()
        self._store.pay(lend=True)
        self._tell()
        if self._store.owes:  # somebody sat on the lock
            self._paying = True
            asyncio.get_running_loop().call_later(_PAID_AGAIN_S, self._pay)
        elif self._store.lends:  # which is given back, when nothing comes
            self._pay_soon()

    def _cost(self, event: Event) -> _Cost:
        """What a request counts as."""
        pusd, writes = self._prices.cost_pusd(event), event.operation in _WRITES
        whole = event.output_tokens is not None and event.outcome == "ok"
        if pusd is not None and (whole or not writes):
            return pusd, False, False
        if pusd is None and event.input_tokens is not None:
            return _UNPRICED
        if event.operation in _NOT_CALLS or (event.status or 200) >= 400:
            return pusd or 0, False, False
        return self._estimated(event, pusd)

    def _estimated(self, event: Event, pusd: int | None) -> _Cost:
        """Nobody said what it used: as much as it can have, by what came of it."""
        asked = _asked_of(event)
        highest = self._prices.highest_of(event)
        if highest is None:
            return _UNPRICED
        sent, written, _ = self._bounds.of(asked)
        if event.stream and event.output_chars is not None:
            chars = event.output_chars
            written = min(written, self._bounds.written_tokens(asked, chars))
        if pusd is not None:  # what was sent is known
            made = max(0, written - (event.output_tokens or 0))
            return pusd + made * highest.output_pusd, False, True
        most = sent * highest.input_pusd + written * highest.output_pusd
        return most, False, True

    def _other_sums(
        self, event: Event, held: Sequence[Sum], key_id: str | None
    ) -> Sequence[Sum]:
        """Where a request counts of which nothing was set aside there."""
        names = (event.org, key_id, event.feature, event.user, event.session)
        sums = self._all.of(*names, event.started_at.timestamp())
        if not held:
            return sums
        of_held = [one.meter for one in held]
        return [one for one in sums if one.meter not in of_held]

    def _give_back(self, held: Sequence[Sum], pusd: int) -> None:
        self._store.settle([Change(one, reserved=-pusd) for one in held])

    def _is_counted(self, event: Event) -> bool:
        """A fetched response that counted before, when it was made or fetched."""
        if event.input_tokens is None:
            return True  # it is not over, and this is no call
        return self._store.is_answered(_id(event))

    def _note_response(self, event: Event, cost: _Cost, sums: Sequence[Sum]) -> None:
        """It is counted; one that is not over is kept in mind."""
        spent, _, estimated = cost
        if estimated and event.finish_reason is None and event.outcome == "ok":
            if len(self._pending) >= _MOST_PENDING:
                self._pending.clear()
            self._pending[event.provider_response_id or ""] = [
                Change(one, -spent, requests=-1, estimated=-1) for one in sums
            ]
        else:
            self._store.note_answered(_id(event))

    def _refusal(self, reached: Reached, client: str | None) -> Refusal:
        self._tell()
        if reached.first:
            self._say(words.refusing(reached))
        return words.refusal(reached, client)

    def _tell(self) -> None:
        told, self._store.told = self._store.told, []
        for one in told:
            self._say(words.told(one))


_WRITES = frozenset({"chat", "completions", "responses", "messages", "compact"}) | {
    "generate_content"
}


def _id(event: Event) -> bytes:
    return f"{event.provider} {event.provider_response_id}".encode()


def _is_billed(exchange: Exchange) -> bool:
    """A plan does not pay for it; elsewhere than the client meant, the operator does."""
    if exchange.client_headers.credential != "plan":
        return True
    asked, target = exchange.requested, exchange.target
    return bool(asked and target and asked.provider != target.provider)


def _asked_of(event: Event) -> Asked:
    return Asked(
        event.provider,
        event.model_sent or event.model_requested,
        event.operation,
        event.request_bytes,
        event.max_output_tokens,
        event.choice_count or 1,
        bool(event.has_tools),
        bool(event.has_images or event.has_audio),
    )

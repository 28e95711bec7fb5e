"""Budgets: the dearest that a request can cost is set aside before it is sent, where one
of them stops, and what it did cost is put in the place of that when it is over.

Without a budget none of this is there; with those that warn alone, nothing of it is
before the request. Prices are in memory: a sum takes microseconds. Requests that are
over are counted many at once, which takes half the time of each on its own.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lectr_lab.budgets.bounds import Asked, Bound, Bounds
from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import Meter, Sum, Whose
from lectr_lab.budgets.store import Reached, Store
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.event_values import NOT_CALLS
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.pricing.pusd import Highest
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.gates import budget_words as words
from lectr_lab.proxy.gates.budget_prices import Prices
from lectr_lab.proxy.gates.budget_recovery import Recovery
from lectr_lab.proxy.stderr import say

_NOT_CALLS = frozenset(NOT_CALLS)
_FETCHES = frozenset({"/v1/responses/*", "/openai/v1/responses/*"})
_NEVER_SENT = frozenset({"refused", "unreachable"})
_MOST_PENDING = 10_000
_PAID_WITHIN_S = 0.05
_PAID_AGAIN_S = 0.5
_MOST_OVER = 64
_MOST_KNOWN = 4096
_DEAREST_UNKNOWN = 1  # 1e-12 USD: refused where nothing is left at all


class _Kept(NamedTuple):
    """What was set aside for a request that runs."""

    sums: Sequence[Sum]
    pusd: int
    key_id: str


class _Cost(NamedTuple):
    """What a request counts as, in 1e-12 USD, and how that is known."""

    pusd: int = 0
    unpriced: bool = False
    estimated: bool = False


_NOTHING = _Cost()


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
        say: Callable[[str], None] = say,
    ) -> None:
        self._lab, self._meters, self._prices, self._say = lab, meters, prices, say
        self._stopping = [meter for meter in meters if meter.stops]
        self._columns = {column for meter in meters for column in meter.columns}
        self._by_key_alone = self._columns <= {"org", "key"}
        self._bounds = Bounds()
        self._kept: dict[bytes, _Kept] = {}
        # Sums by organisation and key, and from when until when they are those.
        self._known: dict[tuple[str, str], tuple[list[Sum], float, float]] = {}
        # Responses that are made in the background: what they will have used is not
        # known yet, and counted by its bound.
        self._pending: dict[str, list[Change]] = {}
        self._store = Store(lab, meters, reopened=self._read_log)
        self._recovery = Recovery()
        self._paying = False
        self._over: list[Event] = []  # and not counted yet

    @property
    def is_gate(self) -> bool:
        """It looks at requests before they are sent: one of the budgets stops, or goes
        by the key, which no event has."""
        return bool(self._stopping) or "key" in self._columns

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
        sums = self._stopping_sums(exchange, at_s)
        pusd, certain = self._dearest(exchange, at_s) if sums else (0, True)
        if pusd:
            reached = self._store.reserve(sums, pusd, certain=certain)
            if reached is not None:
                return self._refusal(reached, exchange.run.client)
        key_id = exchange.key.key_id
        self._kept[exchange.event_id] = _Kept(sums if pusd else (), pusd, key_id)
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
        kept = self._kept.pop(event.event_id, None)
        if kept is None and event.outcome == "refused":
            return
        fetched = event.path in _FETCHES and event.provider_response_id is not None
        if fetched and self._is_counted(event):
            return
        cost = self._cost(event)
        self._bounds.learn(event)
        changes = self._changes(event, cost, kept)
        if self._pending:
            pending = self._pending.pop(event.provider_response_id or "", ())
            changes += [
                one._replace(spent=-one.spent, requests=-1, estimated=-1)
                for one in pending
            ]
        if not changes:
            return
        if event.operation == "responses" and event.provider_response_id is not None:
            self._note_response(event, cost, changes)
        self._store.settle(changes)

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
        """Where a request counts that may be stopped; mostly as that before it."""
        key, by_key = exchange.key, self._by_key_alone
        if by_key:
            known = self._known.get((key.org, key.key_id))
            if known is not None and known[1] <= at_s < known[2]:
                return known[0]
        whose = self._whose(exchange)
        found = [meter.sum_of(whose, at_s) for meter in self._stopping]
        sums = [one for one in found if one is not None]
        if by_key and sums:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            begins_s = max(one.window.start_s for one in sums)
            ends_s = min(one.window.end_s for one in sums)
            self._known[key.org, key.key_id] = sums, begins_s, ends_s
        return sums

    def _whose(self, exchange: Exchange) -> Whose:
        """By the event's own words; what no budget goes by is not looked for."""
        feature = user = session = None
        if "feature" in self._columns and exchange.target is not None:
            feature = exchange.rule_input(exchange.target).feature
        if "user" in self._columns or "session" in self._columns:
            user, session = exchange.run.user, exchange.run.session
        key = exchange.key
        return Whose(key.org, key.key_id, feature, user, session)

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

    def _dearest(self, exchange: Exchange, at_s: float) -> tuple[int, bool]:
        """The most that it can cost; 0 where its model has no price."""
        asked = _asked(exchange)
        provider, model = asked[:2]
        if provider is None or model is None:
            return _DEAREST_UNKNOWN, False
        answers_as = self._bounds.answers_as(provider, model)
        highest = self._prices.highest(exchange, model, answers_as, at_s)
        if highest is None:
            return 0, True
        return _at_most(highest, self._bounds.of(asked))

    def _cost(self, event: Event) -> _Cost:
        """What a request counts as."""
        if event.outcome in _NEVER_SENT or event.provider is None:
            return _Cost()
        pusd = self._prices.cost_pusd(event)
        whole = event.output_tokens is not None and event.outcome == "ok"
        if pusd is not None and (whole or event.operation not in _WRITES):
            return _Cost(pusd)
        counted = event.input_tokens is not None
        if counted and pusd is None:
            return _Cost(unpriced=True)
        if event.operation in _NOT_CALLS or (event.status or 200) >= 400:
            return _Cost(pusd or 0)
        return self._estimated(event, pusd)

    def _estimated(self, event: Event, pusd: int | None) -> _Cost:
        """Nobody said what it used: as much as it can have, by what came of it."""
        asked = _asked_of(event)
        highest = self._prices.highest_of(event)
        if highest is None:
            return _Cost(unpriced=True)
        bound = self._bounds.of(asked)
        written = bound.output_tokens
        if event.stream and event.output_chars is not None:
            chars = event.output_chars
            written = min(written, self._bounds.written_tokens(asked, chars))
        if pusd is not None:  # what was sent is known
            made = max(0, written - (event.output_tokens or 0))
            return _Cost(pusd + made * highest.output_pusd, estimated=True)
        seen = bound._replace(output_tokens=written)
        return _Cost(_at_most(highest, seen)[0], estimated=True)

    def _changes(self, event: Event, cost: _Cost, kept: _Kept | None) -> list[Change]:
        held, pusd = (kept.sums, kept.pusd) if kept else ((), 0)
        is_plan = event.credential == "plan"
        if event.outcome in _NEVER_SENT or event.provider is None or is_plan:
            return [Change(one, reserved=-pusd) for one in held]
        if event.operation in _NOT_CALLS and cost == _NOTHING:
            return []
        spent, unpriced, estimated = cost
        counted = (1, unpriced, estimated)
        if len(held) == len(self._meters):
            return [Change(one, spent, -pusd, 0, *counted) for one in held]
        key_id = kept.key_id if kept else None
        whose = Whose(event.org, key_id, event.feature, event.user, event.session)
        at_s = event.started_at.timestamp()
        changes = []
        for meter in self._meters:
            own = next((one for one in held if one.meter is meter), None)
            found = own or meter.sum_of(whose, at_s)
            if found is not None:
                given_back = -pusd if own else 0
                changes.append(Change(found, spent, given_back, 0, *counted))
        return changes

    def _is_counted(self, event: Event) -> bool:
        """A fetched response that counted before, when it was made or fetched."""
        if event.input_tokens is None:
            return True  # it is not over, and this is no call
        return self._store.is_answered(_id(event))

    def _note_response(self, event: Event, cost: _Cost, changes: list[Change]) -> None:
        """It is counted; one that is not over is kept in mind."""
        if cost.estimated and event.finish_reason is None and event.outcome == "ok":
            if len(self._pending) >= _MOST_PENDING:
                self._pending.clear()
            self._pending[event.provider_response_id or ""] = [
                one._replace(reserved=0) for one in changes
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


def _at_most(highest: Highest, bound: Bound) -> tuple[int, bool]:
    sent, written, certain = bound
    return sent * highest[0] + written * highest[1], certain


def _is_billed(exchange: Exchange) -> bool:
    """A plan does not pay for it; elsewhere than the client meant, the operator does."""
    asked, target = exchange.requested, exchange.target
    elsewhere = asked and target and asked.provider != target.provider
    return bool(elsewhere) or exchange.client_headers.credential != "plan"


def _asked(exchange: Exchange) -> Asked:
    request, target = exchange.request, exchange.target
    plain = not exchange.request_encoding and not request.facts_truncated
    return Asked(
        target.provider if target else None,
        exchange.model_sent or request.model,
        exchange.operation,
        exchange.request_bytes if plain else None,
        request.max_output_tokens,
        request.answers,
        bool(request.has_tools),
        bool(request.has_images or request.has_audio),
    )


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

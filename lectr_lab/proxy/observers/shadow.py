"""Shadows: a sampled request is asked again of a candidate model, once its client has
the reply, and how far the two answers agree goes into the log as a number.

Only with a `[shadow]` section, and under the operator's own key. The two answers are in
memory until they are compared, and nowhere else. Where there are too many, some are
left out: nothing ever waits for a shadow.

Left out too: `/v1/responses`, whose replies providers store, tools of `/v1/messages`,
which the provider may run a second time, and requests that hold one of their keys.
"""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core.agreement import agreement
from lectr_lab.core.engine import Engine
from lectr_lab.core.errors import ConfigError, UpstreamError, UpstreamUnreachable
from lectr_lab.core.event import Event
from lectr_lab.core.event_values import Outcome
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import (
    headers_for_another_vendor,
    holds_key,
    in_lower_case,
)
from lectr_lab.core.ids import event_id
from lectr_lab.core.llm_api.answer_text import read_answer
from lectr_lab.core.llm_api.splice import with_model
from lectr_lab.core.registry import offers
from lectr_lab.core.routing.providers import ResolvedProvider, provider_url
from lectr_lab.proxy.clock import Clock
from lectr_lab.proxy.facts import FactsReader
from lectr_lab.proxy.observers.capture import MOST_KEPT_BYTES, Kept
from lectr_lab.proxy.routing import ProviderRequest

if TYPE_CHECKING:  # only with a budget: prices are large
    from lectr_lab.proxy.gates.budgets import Budgets

_ASKED_AGAIN = frozenset({"chat", "completions", "messages"})
_MOST_RUNNING = 4
_MOST_SAMPLED = 64  # replies that are kept at once
_MOST_CHARS = 64 * 1024  # of an answer: comparing takes time that requests could have
_TIMEOUT_S = 120.0


class _Sampled(NamedTuple):
    """A request whose shadow is to be sent, with the client's reply as it comes."""

    exchange: Exchange
    call: ProviderRequest
    kept: Kept


class Shadows:
    """Chooses, sends and compares. Everything is called inside the event loop.

    Args:
        settings: which share of requests is asked again, and of whom.
        keys: the operator's own.
        clock: what the shadows' events are timed by.
        put: takes those events.
        facts: reads what is large of the replies.
        budgets: shadows cost as well; one for which nothing is left is not sent.

    Raises:
        ConfigError: a shadow is wanted, and there is no key of the operator's for it.
    """

    name = "shadows"
    at_end_only = False

    def __init__(
        self,
        settings: Settings,
        keys: OperatorKeys,
        clock: Clock,
        put: Callable[[Event], None],
        facts: FactsReader,
        budgets: "Budgets | None" = None,
    ) -> None:
        self._settings, self._keys, self._clock = settings, keys, clock
        self._wanted = settings.shadow
        if self._wanted is not None and self._wanted.provider not in keys.keyed(""):
            raise ConfigError(_no_key(self._wanted.provider))
        self._put, self._facts, self._budgets = put, facts, budgets
        self.engine: Engine | None = None  # asks candidates; set before anything passes
        self._sampled: dict[bytes, _Sampled] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._day: date | None = None
        self._calls_today = 0
        self._counts = {"sent": 0, "compared": 0, "dropped": 0, "over_cap": 0}
        if budgets:
            self._counts["over_budget"] = 0

    @property
    def active(self) -> bool:
        """A shadow is wanted."""
        return self._wanted is not None

    @property
    def running(self) -> bool:
        """Some are asked now."""
        return bool(self._running)

    def start(self) -> None:
        """Nothing runs before a request was answered."""

    async def stop(self) -> None:
        """Break off what is running: the proxy ends without it."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health; None where no shadow is wanted."""
        running = {"running": len(self._running)}
        return {"shadows": self._counts | running if self.active else None}

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """A request is about to be sent: keep its reply, if it is one of the share."""
        call = self._call(exchange, body)
        if call is not None:
            sampled = _Sampled(exchange, call, Kept())
            self._sampled[exchange.event_id] = sampled
            exchange.taps.append(sampled.kept.take)

    def ended(self, event: Event) -> None:
        """A request is over and its client served: send its shadow, if there is room."""
        sampled = self._sampled.pop(event.event_id, None) if self._sampled else None
        if sampled is None or event.outcome != "ok":
            return
        today = self._clock.utc_now().date()
        if today != self._day:
            self._day, self._calls_today = today, 0
        assert self._wanted is not None  # or nothing was sampled
        if self._calls_today >= self._wanted.calls_per_day:
            self._counts["over_cap"] += 1
        elif len(self._running) >= _MOST_RUNNING or sampled.kept.too_large:
            self._counts["dropped"] += 1
        else:
            self._calls_today += 1
            self._counts["sent"] += 1
            task = asyncio.create_task(self._shadow(sampled, event))
            self._running.add(task)
            task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._counts["dropped"] += 1  # a fault of ours, which none is to see

    def _call(self, exchange: Exchange, body: memoryview) -> ProviderRequest | None:
        """The candidate's call; None where this request is not to have one."""
        wanted, requested, target = self._wanted, exchange.requested, exchange.target
        if wanted is None or requested is None or target is None:
            return None
        rule_input = exchange.rule_input(requested)
        if not wanted.wants(rule_input.feature, rule_input.task, exchange.event_id):
            return None
        request, org = exchange.request, exchange.key.org
        same = (exchange.model_sent, target.provider) == (wanted.model, wanted.provider)
        if (
            same
            or request.model is None
            or rule_input.operation not in _ASKED_AGAIN
            or not offers(wanted.provider, rule_input.operation)
            or (request.has_tools and rule_input.operation == "messages")
            or wanted.provider not in self._keys.keyed(org)
        ):
            return None
        full = len(self._sampled) >= _MOST_SAMPLED or len(body) > MOST_KEPT_BYTES
        kept = not full and not exchange.request_encoding  # compressed: none is changed
        changed: bytes | None = bytes(body) if kept else None
        if changed and request.model != wanted.model:
            place = exchange.model_place
            changed = with_model(changed, request.model, wanted.model, place)
        if not changed or holds_key(changed, exchange.client_headers):
            self._counts["dropped"] += 1
            return None
        return self._candidates(exchange, changed, wanted.provider, wanted.model)

    def _candidates(
        self, exchange: Exchange, body: bytes, provider: str, model: str
    ) -> ProviderRequest:
        """With the operator's key, and nothing of the client's but what it asks."""
        org = exchange.key.org
        address = self._settings.address_for(org, provider)
        assert address is not None  # a keyed provider has an address
        headers = headers_for_another_vendor(
            exchange.headers,
            exchange.client_headers,
            address.auth,
            self._keys.of(org, provider),
        )
        target = ResolvedProvider(provider, "default")
        url = provider_url(address, target, exchange.raw_path, b"", model)
        return ProviderRequest(url, headers, body)

    async def _shadow(self, sampled: _Sampled, event: Event) -> None:
        """Ask the candidate, compare, and leave an event."""
        exchange = self._exchange(sampled)
        if self._budgets and self._budgets.admit(exchange, pays=True) is not None:
            self._counts["over_budget"] += 1
            return
        kept = Kept()
        try:
            outcome = await self._ask(exchange, sampled.call, kept)
        except asyncio.CancelledError:
            broken_off = self._ended(exchange, "upstream_disconnect")
            self._over_and_put(_as_shadow(broken_off, event, None))
            raise
        await self._facts.reply(exchange)
        ended = self._ended(exchange, outcome)
        agreed = None
        if ended.outcome == "ok" and not kept.too_large:
            agreed = await asyncio.to_thread(
                _agreement, event, sampled, exchange.content_encoding, kept
            )
        self._counts["compared"] += agreed is not None
        self._over_and_put(_as_shadow(ended, event, agreed))

    def _over_and_put(self, event: Event) -> None:
        self._put(event)
        if self._budgets:
            self._budgets.ended(event)

    def _exchange(self, sampled: _Sampled) -> Exchange:
        """What watches the candidate's call; it hides the same keys."""
        assert self._wanted is not None
        first, clock = sampled.exchange, self._clock
        request = msgspec.structs.replace(first.request, model=self._wanted.model)
        started_at = clock.utc_now()
        exchange = Exchange(
            event_id=event_id(
                int(started_at.timestamp() * 1000), clock.random_bits(74)
            ),
            started_at=started_at,
            started_s=clock.now_s(),
            raw_path=first.raw_path,
            client_headers=first.client_headers,
            key=first.key,
            operator_keys=self._keys.secrets,
        )
        exchange.received(request, len(sampled.call.body), clock.now_s())
        exchange.sent_to(
            ResolvedProvider(self._wanted.provider, "default"), clock.now_s()
        )
        return exchange

    async def _ask(
        self, exchange: Exchange, call: ProviderRequest, kept: Kept
    ) -> Outcome:
        assert self.engine is not None
        now_s = self._clock.now_s
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                of_call = call.url, call.headers, call.body
                reply = await self.engine.send("POST", *of_call)
                try:
                    exchange.answered(
                        reply.status, in_lower_case(reply.headers), now_s()
                    )
                    async for chunk in reply:
                        if exchange.chunk(chunk, now_s()):
                            await self._facts.catch_up(exchange)
                        kept.take(chunk)
                finally:
                    await reply.aclose()
        except TimeoutError:
            return "timeout"
        except UpstreamUnreachable:
            return "unreachable"
        except UpstreamError:
            return "upstream_disconnect"
        return "ok"

    def _ended(self, exchange: Exchange, outcome: Outcome) -> Event:
        error_type = None if outcome == "ok" else outcome
        return exchange.ended(outcome, self._clock.now_s(), error_type=error_type)


def _agreement(
    event: Event, sampled: _Sampled, content_encoding: str, candidates: Kept
) -> float | None:
    first = sampled.exchange.content_encoding
    present = _answer(event.operation, first, sampled.kept)
    candidate = _answer(event.operation, content_encoding, candidates)
    if present is None or candidate is None:
        return None
    return agreement(event.task, event.response_format, present, candidate)


def _answer(operation: str, content_encoding: str, kept: Kept) -> str | None:
    text = read_answer(operation, 200, content_encoding, b"".join(kept.chunks)).text
    return text if text is not None and len(text) <= _MOST_CHARS else None


def _as_shadow(own: Event, of: Event, agreed: float | None) -> Event:
    """What the client did not say of this call is null."""
    unsaid: dict[str, Any] = dict.fromkeys(
        ("provider_source", "provider_unknown", "provider_header", "retry_count")
    )
    return msgspec.structs.replace(
        own,
        kind="shadow",
        shadow_of=of.event_id,
        agreement=agreed,
        credential="api_key",  # the operator's own, whatever the client pays with
        **unsaid,
    )


def _no_key(provider: str) -> str:
    table = "azure" if provider == "azure" else f"providers.{provider}"
    return (
        f"[shadow] asks {provider} at your own cost, and there is no key of yours for "
        f"it. Write operator_key_env under [{table}] in lectr.toml, set the variable "
        "that it names, or take [shadow] out."
    )

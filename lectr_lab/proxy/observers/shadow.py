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
from typing import Any, NamedTuple

import msgspec

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import Settings
from lectr_lab.core.agreement import agreement
from lectr_lab.core.engine import Engine
from lectr_lab.core.errors import ConfigError, UpstreamError, UpstreamUnreachable
from lectr_lab.core.event import Event, Outcome
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.headers import headers_for_another_vendor, holds_key
from lectr_lab.core.ids import event_id
from lectr_lab.core.llm_api.answer_text import read_answer as answer_of
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.core.llm_api.splice import with_model
from lectr_lab.core.routing.providers import ResolvedProvider, offers, provider_url
from lectr_lab.proxy.clock import Clock
from lectr_lab.proxy.observers.capture import MOST_KEPT_BYTES, Kept
from lectr_lab.proxy.routing import Arrived, ProviderRequest, Routed

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
    """Chooses, sends and compares. `start` inside the event loop, `stop` there too.

    Raises:
        ConfigError: a shadow is wanted, and there is no key of the operator's for it.
    """

    def __init__(self, settings: Settings, keys: OperatorKeys, clock: Clock) -> None:
        self._settings, self._keys, self._clock = settings, keys, clock
        self._wanted = settings.shadow
        if self._wanted is not None and self._wanted.provider not in keys.keyed(""):
            raise ConfigError(_no_key(self._wanted.provider))
        self._engine: Engine | None = None
        self._put: Callable[[Event], None] = lambda _: None
        self._sampled: dict[bytes, _Sampled] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._day: date | None = None
        self._calls_today = 0
        self._counts = {"sent": 0, "compared": 0, "dropped": 0, "over_cap": 0}

    def start(self, engine: Engine, put: Callable[[Event], None]) -> None:
        """Ask candidates through this engine, and put their events there."""
        self._engine, self._put = engine, put

    async def stop(self) -> None:
        """Break off what is running: the proxy ends without it."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def about(self) -> dict[str, int] | None:
        """For whoever looks at /health; None where no shadow is wanted."""
        if self._wanted is None:
            return None
        return self._counts | {"running": len(self._running)}

    def begin(self, arrived: Arrived, routed: Routed) -> None:
        """A request is about to be sent: keep its reply, if it is one of the share."""
        if self._wanted is None:
            return
        try:
            call = self._call(arrived, routed)
        except Exception:  # noqa: BLE001 - a shadow is never worth a request
            self._counts["dropped"] += 1
            return
        if call is not None:
            sampled = _Sampled(arrived.exchange, call, Kept())
            self._sampled[arrived.exchange.event_id] = sampled
            arrived.exchange.taps.append(sampled.kept.take)

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

    def _call(self, arrived: Arrived, routed: Routed) -> ProviderRequest | None:
        """The candidate's call; None where this request is not to have one."""
        exchange, wanted = arrived.exchange, self._wanted
        rule_input = exchange.rule_input(arrived.target)
        if wanted is None or not wanted.wants(
            rule_input.feature, rule_input.task, exchange.event_id
        ):
            return None
        request, body, org = exchange.request, arrived.body, exchange.key.org
        same = (routed.model, routed.target.provider) == (wanted.model, wanted.provider)
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
        changed = None if full else with_model(body, request.model, wanted.model)
        if request.model == wanted.model and not full:
            changed = body
        if changed is None or holds_key(body, exchange.client_headers):
            self._counts["dropped"] += 1
            return None
        return self._candidates(arrived, changed, wanted.provider, wanted.model)

    def _candidates(
        self, arrived: Arrived, body: bytes, provider: str, model: str
    ) -> ProviderRequest:
        """With the operator's key, and nothing of the client's but what it asks."""
        exchange = arrived.exchange
        org, client_headers, raw_path = (
            exchange.key.org,
            exchange.client_headers,
            exchange.raw_path,
        )
        address = self._settings.address_for(org, provider)
        assert address is not None  # a keyed provider has an address
        key = self._keys.of(org, provider)
        headers = headers_for_another_vendor(
            arrived.headers, client_headers, address.auth, key
        )
        target = ResolvedProvider(provider, "default")
        return ProviderRequest(
            provider_url(address, target, raw_path, b"", model), headers, body
        )

    async def _shadow(self, sampled: _Sampled, event: Event) -> None:
        """Ask the candidate, compare, and leave an event."""
        exchange = self._exchange(sampled)
        kept = Kept()
        try:
            outcome = await self._ask(exchange, sampled.call, kept)
        except asyncio.CancelledError:
            broken_off = self._ended(exchange, "upstream_disconnect")
            self._put(_as_shadow(broken_off, event, None))
            raise
        ended = self._ended(exchange, outcome)
        agreed = None
        if ended.outcome == "ok" and not kept.too_large:
            agreed = await asyncio.to_thread(
                _agreement, event, sampled, exchange.content_encoding, kept
            )
        self._counts["compared"] += agreed is not None
        self._put(_as_shadow(ended, event, agreed))

    def _exchange(self, sampled: _Sampled) -> Exchange:
        """What watches the candidate's call; it hides the same keys."""
        assert self._wanted is not None
        first, clock = sampled.exchange, self._clock
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
        body = sampled.call.body
        facts = read_request(body, exchange.operation)
        exchange.received(facts, len(body), clock.now_s())
        exchange.sent_to(
            ResolvedProvider(self._wanted.provider, "default"), clock.now_s()
        )
        return exchange

    async def _ask(
        self, exchange: Exchange, call: ProviderRequest, kept: Kept
    ) -> Outcome:
        assert self._engine is not None  # started
        now_s = self._clock.now_s
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                reply = await self._engine.send("POST", *call)
                try:
                    exchange.answered(reply.status, reply.headers, now_s())
                    async for chunk in reply:
                        exchange.chunk(chunk, now_s())
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
    told = answer_of(operation, 200, content_encoding, b"".join(kept.chunks))
    return told.text if told and len(told.text) <= _MOST_CHARS else None


def _as_shadow(own: Event, of: Event, agreed: float | None) -> Event:
    """What the client did not say of this call is null."""
    unsaid: dict[str, Any] = dict.fromkeys(
        ("provider_source", "provider_unknown", "provider_header", "retry_count")
    )
    return msgspec.structs.replace(
        own, kind="shadow", shadow_of=of.event_id, agreement=agreed, **unsaid
    )


def _no_key(provider: str) -> str:
    table = "azure" if provider == "azure" else f"providers.{provider}"
    return (
        f"[shadow] asks {provider} at your own cost, and there is no key of yours for "
        f"it. Write operator_key_env under [{table}] in lectr.toml, set the variable "
        "that it names, or take [shadow] out."
    )

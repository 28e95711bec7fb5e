"""Streams that reported no tokens, counted once their client has the reply.

Only where the `tokenizer` extra is installed, and only for what `core/llm_api/token_texts.py`
understands. The bytes of such a stream are in memory until they are counted, in a
process beside the proxy (84 MB from the first such stream on, 115 with both
vocabularies), and nowhere else. What is too large, too many or too late is left
uncounted, as without the extra: nothing ever waits for a count but its own event.
"""

import asyncio
import contextlib
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.llm_api.token_texts import OPERATIONS, encoding_of
from lectr_lab.proxy.health import merged
from lectr_lab.proxy.observers.capture import Kept
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.worker.jobs import CountTokens, TokensAnswer
from lectr_lab.proxy.worker.process import Worker
from lectr_lab.proxy.worker.token_counts import is_installed

_MOST_KEPT = 64  # streams at once, each with up to 1 MB asked and 1 MB answered
_MOST_BYTES = 1024 * 1024
_TIMEOUT_S = 5.0
# After this an event passes on uncounted, to be on disk a second after its reply. The
# first count starts the process: 0.3 s.
WITHIN_S = 0.8
_SEEN = frozenset({"ok", "client_disconnect", "upstream_disconnect"})


class _Silent(NamedTuple):
    """A stream that may turn out to report no tokens."""

    exchange: Exchange
    body: bytes
    kept: Kept


class TokenCounter:
    """Events in, the same events out, counted where nobody else did: it stands before
    the observers that want the counts, the log among them.

    Everything is called inside the event loop.
    """

    name, active = "token_counter", True
    at_end_only = False

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self._installed = is_installed()
        self._kept: dict[bytes, _Silent] = {}
        self._counting: set[asyncio.Task[None]] = set()
        self._worker = Worker(_TIMEOUT_S)

    def about(self) -> dict[str, Any]:
        """How many events are not passed on yet, and what those behind it say."""
        return merged([{"counting": len(self._counting)}, *self._observers.about()])

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """A request is about to be sent: keep its reply, if it may be silent."""
        self._observers.begin(exchange, body)
        request = exchange.request
        if not self._installed or not request.stream or request.include_usage:
            return
        # A deployment of Azure's has any name: its reply says which model it is.
        is_azure = exchange.target is not None and exchange.target.provider == "azure"
        known = is_azure or encoding_of(exchange.model_sent)
        plain = not (request.has_tools or request.has_images or request.has_audio)
        small = len(body) <= _MOST_BYTES
        room = len(self._kept) + len(self._counting) < _MOST_KEPT
        if exchange.operation in OPERATIONS and known and plain and small and room:
            silent = _Silent(exchange, bytes(body), Kept())
            self._kept[exchange.event_id] = silent
            exchange.taps.append(silent.kept.take)

    def ended(self, event: Event) -> None:
        """A request is over: pass its event on, counted first if that is wanted."""
        job = None
        if self._kept and (silent := self._kept.pop(event.event_id, None)) is not None:
            with contextlib.suppress(Exception):  # a count is never worth an event
                job = _job(event, silent)
        if job is None:
            self._observers.ended(event)
            return
        task = asyncio.create_task(self._count(event, *job))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    def start(self) -> None:
        """Those behind it begin; the process does when it is first needed."""
        self._observers.start()

    async def stop(self) -> None:
        """Pass on what is being counted, and end the process; then those behind it."""
        with contextlib.suppress(TimeoutError):  # then they go uncounted
            async with asyncio.timeout(_TIMEOUT_S):
                await asyncio.gather(*self._counting, return_exceptions=True)
        await self._worker.stop()
        await self._observers.stop()

    async def _count(self, event: Event, job: CountTokens, texts: list[bytes]) -> None:
        counted = event
        try:
            counts = await self._worker.ask(job, texts, TokensAnswer, WITHIN_S)
            if counts is not None:
                counted = _with(event, *counts)
        finally:
            self._observers.ended(counted)


def _job(event: Event, silent: _Silent) -> tuple[CountTokens, list[bytes]] | None:
    """What is to be counted; None where the provider did, or where nobody can."""
    encoding = encoding_of(event.model_actual or event.model_sent)
    reported = event.token_source != "absent"
    seen = event.outcome in _SEEN and event.output_chars is not None
    if reported or not seen or silent.kept.too_large or encoding is None:
        return None
    coding, chunks = silent.exchange.content_encoding, silent.kept.chunks
    job = CountTokens(encoding, event.operation, coding)
    return job, [silent.body, *chunks]


def _with(event: Event, input_tokens: int, output_tokens: int) -> Event:
    return msgspec.structs.replace(
        event,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        token_source="tokenizer",
    )

"""Why the cache missed: each prompt is compared with its session's earlier ones, once its
reply has begun to go out.

Compared are keyed digests, under a key that each proxy draws, in its memory alone; the
workers of a port ask their parent, which alone remembers. A thread reads prompts up to
a megabyte, a process beside the proxy larger and compressed ones. A body is held until it
is read, which while its request runs takes no memory: the request holds it too. What is
too much, or too late, is not watched: nothing ever waits for it but its own event.

Not compared is what its provider could not have cached, for want of length, and what is
of no session. Whose prompts are compared: a session's, where there is one; else all that were sent with
one key by one program for one feature, for a cache does not know sessions either.
"""

import asyncio
import contextlib
import secrets
import threading
from collections import deque
from collections.abc import Callable
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, NamedTuple

import msgspec

from lectr_lab.core.event import Event
from lectr_lab.core.event_values import PrefixBreak
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.prefix.compare import Change, Seen
from lectr_lab.core.prefix.joints import OPERATIONS, read_prompt
from lectr_lab.core.prefix.memory import PrefixMemory
from lectr_lab.core.prefix.prompt import Prompt
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.proxy.health import merged
from lectr_lab.proxy.observers.observer import Observers
from lectr_lab.proxy.shared.port import Port
from lectr_lab.proxy.worker.jobs import PromptAnswer, ReadPrompt
from lectr_lab.proxy.worker.process import Worker

AT_ONCE_BYTES = 8 * 1024  # is read in less time than it takes to ask a thread
MOST_IN_THREAD_BYTES = 1024 * 1024  # the interpreter's lock is held for 1.5 ms at most
MOST_WAITING_BYTES = 32 * 1024 * 1024  # of bodies whose requests may be over
WITHIN_S = 0.2  # which an event waits for it: it is to be on disk in a second
WITHIN_LARGE_S = 0.6
_PARENT_S = 0.2  # more, where another process is asked
_JOB_S = 2.0
_STOP_S = 2.0
_AGAIN_S = 0.05  # how often is looked, once one has waited its time, while others do


class _Facts(NamedTuple):
    """What is told of a prompt; shares are parts of its length, 0 to 1."""

    prefix_share: float
    kept_share: float | None
    cause: PrefixBreak | None
    idle_s: float | None


class _Watched:
    """A request's prompt, on its way to be compared."""

    def __init__(self, exchange: Exchange, body: bytes) -> None:
        self.exchange = exchange
        self.body = body  # dropped once it is read
        self.size_bytes = len(body)
        self.is_large = bool(exchange.request_encoding) or (
            len(body) > MOST_IN_THREAD_BYTES
        )
        self.answered_s: float | None = None
        self.prompt: Prompt | None = None
        self.facts: _Facts | None = None
        self.done = False


class PrefixWatch:
    """Events in, the same events out, with what became of their prompt's prefix: it
    stands before the observers that want that, the log among them.

    Everything is called inside the event loop.

    Args:
        observers: told of the events.
        now_s: the clock that exchanges are timed by.
        port: the other workers of this one's port; None: there are none.
    """

    name, active = "prefix_watch", True
    at_end_only = False

    def __init__(
        self,
        observers: Observers,
        now_s: Callable[[], float],
        port: Port | None = None,
    ) -> None:
        self._observers, self._now_s, self._port = observers, now_s, port
        self._key = secrets.token_bytes(32) if port is None else port.key
        self._memory = PrefixMemory()
        self._watched: dict[bytes, _Watched] = {}
        self._late: deque[tuple[Event, _Watched, float]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.AbstractEventLoop | None = None
        self._is_called = False  # the loop is, and will look who waits
        self._large: set[asyncio.Task[None]] = set()
        self._queue: SimpleQueue[_Watched | None] = SimpleQueue()
        # Each is written by one thread alone: the loop's, the other.
        self._taken_bytes = self._read_bytes = self._unwatched = 0
        self._worker = Worker(_JOB_S)
        self._thread = threading.Thread(
            target=self._run, name="lectr-prefix", daemon=True
        )

    def about(self) -> dict[str, Any]:
        """How much is remembered, and what was not watched; and what those behind it
        say."""
        told = {
            "remembered_bytes": self._memory.held_bytes,
            "waiting_bytes": self._taken_bytes - self._read_bytes,
            "unwatched": self._unwatched,
        }
        return merged([{"prefixes": told}, *self._observers.about()])

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """A request is about to be sent: hold its prompt until its reply begins."""
        self._observers.begin(exchange, body)
        if exchange.operation in OPERATIONS and body.nbytes and _worth(exchange, body):
            watched = _Watched(exchange, _held(body))
            self._watched[exchange.event_id] = watched
            exchange.taps.append(partial(self._answered, watched))

    def ended(self, event: Event) -> None:
        """A request is over: pass its event on, once its prompt is compared."""
        watched = self._watched.pop(event.event_id, None)
        if watched is None or watched.answered_s is None or watched.done:
            self._observers.ended(_with(event, watched))
            return
        self._loop = loop = asyncio.get_running_loop()
        within_s = WITHIN_LARGE_S if watched.is_large else WITHIN_S
        within_s += _PARENT_S if self._port is not None else 0.0
        self._late.append((event, watched, loop.time() + within_s))
        if watched.done:  # meanwhile: the thread may not have seen that somebody waits
            self._look()
        elif self._timer is None:
            self._timer = loop.call_later(within_s, self._time_is_up)

    def start(self) -> None:
        """Those behind it begin."""
        self._observers.start()
        self._asking = asyncio.get_running_loop() if self._port is not None else None
        self._thread.start()

    async def stop(self) -> None:
        """Pass on what waits, compared if that takes no long; then those behind it."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, _STOP_S)
        if self._port is not None and self._late:
            await asyncio.sleep(_PARENT_S)
        if self._timer is not None:
            self._timer.cancel()
        for event, watched, _ in self._late:
            self._observers.ended(_with(event, watched))
        self._late.clear()
        await self._worker.stop()
        await self._observers.stop()

    def _answered(self, watched: _Watched, _: bytes) -> bool:
        """Some of its reply is with the client: from now on its prompt can be cached.
        That is seen once."""
        self._take_up(watched)
        return True

    def _take_up(self, watched: _Watched) -> None:
        watched.answered_s = self._now_s()
        failed = not 200 <= (watched.exchange.status or 0) < 300
        waiting_bytes = self._taken_bytes - self._read_bytes
        if failed or waiting_bytes + watched.size_bytes > MOST_WAITING_BYTES:
            self._unwatched += not failed
            watched.body, watched.done = b"", True
            return
        is_small = watched.size_bytes <= AT_ONCE_BYTES and not watched.is_large
        if is_small and not waiting_bytes:  # nobody else is at the memory
            self._settle(watched)
            return
        self._taken_bytes += watched.size_bytes
        if watched.is_large:
            task = asyncio.create_task(self._read_large(watched))
            self._large.add(task)
            task.add_done_callback(self._large.discard)
        else:
            self._queue.put(watched)

    async def _read_large(self, watched: _Watched) -> None:
        job = ReadPrompt(
            *_model(watched.exchange),
            watched.exchange.request_encoding,
            self._key,
            _has_media(watched.exchange),
        )
        told = await self._worker.ask(job, [watched.body], PromptAnswer, _JOB_S)
        watched.prompt = told[0] if told is not None else None
        watched.body = b""
        self._queue.put(watched)

    def _time_is_up(self) -> None:
        self._timer = None
        self._look()
        if self._late and self._loop is not None:
            self._timer = self._loop.call_later(_AGAIN_S, self._time_is_up)

    def _look(self) -> None:
        """Pass on the events that need not wait any longer."""
        self._is_called = False
        now_s = asyncio.get_running_loop().time()
        late, self._late = self._late, deque()
        for event, watched, until_s in late:
            if watched.done or now_s >= until_s:
                self._observers.ended(_with(event, watched))
            else:
                self._late.append((event, watched, until_s))

    def _run(self) -> None:
        """The thread: while it has something to do, it alone is at the memory."""
        while (watched := self._queue.get()) is not None:
            self._settle(watched)
            self._read_bytes += watched.size_bytes
            if self._late and self._loop is not None and not self._is_called:
                self._is_called = True
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._look)

    def _settle(self, watched: _Watched) -> None:
        """In the thread, or in the loop while the thread has nothing to do."""
        with contextlib.suppress(Exception):  # a comparison is never worth an event
            seen = self._seen(watched)
            watched.body = b""
            if seen is not None and self._port is not None:
                self._ask_parent(self._port, watched, seen)
                return
            if seen is not None:
                rule, (session, is_session) = rule_of(*seen.model), _session(watched)
                told = self._memory.look(session, seen, rule, is_session=is_session)
                watched.facts = _facts(seen, told)
        watched.body, watched.prompt, watched.done = b"", None, True

    def _seen(self, watched: _Watched) -> Seen | None:
        """The prompt, read; None where there is nothing to compare."""
        exchange = watched.exchange
        provider, model = _model(exchange)
        prompt = watched.prompt
        if not watched.is_large:
            rule, media = rule_of(provider, model), _has_media(exchange)
            prompt = read_prompt(watched.body, rule, self._key, has_media=media)
        if prompt is None or watched.answered_s is None:
            return None
        agent, started_s = exchange.run.agent, exchange.started_s
        return Seen(prompt, (provider, model), agent, started_s, watched.answered_s)

    def _ask_parent(self, port: Port, watched: _Watched, seen: Seen) -> None:
        session, is_session = _session(watched)
        ask = partial(
            port.look,
            session,
            seen,
            partial(self._told, watched, seen),
            is_session=is_session,
        )
        if threading.current_thread() is self._thread:
            assert self._asking is not None  # the loop that began the thread
            self._asking.call_soon_threadsafe(ask)
        else:
            ask()

    def _told(self, watched: _Watched, seen: Seen, change: Change | None) -> None:
        """Their parent has answered, or will not."""
        if change is not None:
            watched.facts = _facts(seen, change)
        watched.prompt, watched.done = None, True
        if self._late and self._asking is not None and not self._is_called:
            self._is_called = True  # answers come many at once
            self._asking.call_soon(self._look)


def _facts(seen: Seen, told: Change) -> _Facts:
    prompt = seen.prompt
    whole = prompt.chars(len(prompt)) or 1
    return _Facts(
        prompt.chars(told.prefix) / whole,
        None if told.kept is None else prompt.chars(told.kept) / whole,
        told.cause,
        None if told.last_s is None else round(seen.started_s - told.last_s, 6),
    )


def _held(body: memoryview) -> bytes:
    """The bytes that are lent, not a copy of them: their request holds them anyway."""
    whole = body.obj
    if isinstance(whole, bytes) and len(whole) == body.nbytes:
        return whole
    return bytes(body)


def _worth(exchange: Exchange, body: memoryview) -> bool:
    """It is a session's, or so long that somebody could have cached it."""
    if exchange.request_encoding or exchange.run.session is not None:
        return True
    return body.nbytes >= _least_bytes(*_model(exchange))


def _model(exchange: Exchange) -> tuple[str, str | None]:
    provider = exchange.target.provider if exchange.target else ""
    return provider, exchange.model_sent or exchange.request.model


@lru_cache(1024)
def _least_bytes(provider: str, model: str | None) -> int:
    """Of less no prompt can have as many tokens as are cached: each is a byte or more."""
    rule = rule_of(provider, model)
    return rule.of_model(model).minimum_tokens if rule else 0


def _has_media(exchange: Exchange) -> bool:
    return bool(exchange.request.has_images or exchange.request.has_audio)


def _session(watched: _Watched) -> tuple[tuple[str | None, ...], bool]:
    """Whose prompts it is compared with, and whether they are one session's."""
    exchange = watched.exchange
    key, run = exchange.key, exchange.run
    if run.session is not None:
        return (key.org, run.session), True
    feature = exchange.client_headers.feature or key.feature
    return (key.key_id, run.client, feature, exchange.operation), False


def _with(event: Event, watched: _Watched | None) -> Event:
    """The event, with what is known of its prefix: parts of its `prompt_chars`."""
    facts = watched.facts if watched is not None else None
    if facts is None:
        return event
    chars = event.prompt_chars
    kept = facts.kept_share
    return msgspec.structs.replace(
        event,
        prefix_chars=None if chars is None else round(chars * facts.prefix_share),
        prefix_kept_chars=(
            None if chars is None or kept is None else round(chars * kept)
        ),
        prefix_break=facts.cause,
        idle_s=facts.idle_s,
    )

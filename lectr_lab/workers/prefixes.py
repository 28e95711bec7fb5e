"""The prompts of all workers' sessions, in their parent's memory.

A session's requests come to any worker, and one may be slower to tell of a prompt than
another of the next. So each is held for a moment, and they are compared in the order in
which their replies began.
"""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from lectr_lab.core.prefix.compare import Change
from lectr_lab.core.prefix.memory import PrefixMemory
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.proxy.shared.messages import Look, Looked
from lectr_lab.proxy.shared.port import TOGETHER_S

HELD_S = 0.06 + TOGETHER_S
_EVERY_S = 0.02


class Prefixes:
    """Answers what became of a prompt. Called inside the event loop.

    Args:
        held_s: how long each is held.
    """

    def __init__(self, held_s: float = HELD_S) -> None:
        self._memory = PrefixMemory()
        self._held_s = held_s
        self._held: list[
            tuple[float, int, float, Look, Callable[[Looked], object]]
        ] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def held_bytes(self) -> int:
        """About what is remembered."""
        return self._memory.held_bytes

    def look(self, look: Look, then: Callable[[Looked], object]) -> None:
        """Compare a prompt with those before it, and remember it.

        Args:
            look: what a worker asks.
            then: called with the answer.
        """
        loop = asyncio.get_running_loop()
        ready_s = loop.time() + self._held_s
        order = next(self._order)
        heapq.heappush(self._held, (look.answered_s, order, ready_s, look, then))
        if self._timer is None:
            self._timer = loop.call_later(self._held_s, self._release)

    def _release(self) -> None:
        """Answer those that were held long enough, and all that were before them."""
        loop = asyncio.get_running_loop()
        now_s, held = loop.time(), self._held
        last = max((o for _, o, ready_s, _, _ in held if ready_s <= now_s), default=-1)
        until_s = max((s for s, o, _, _, _ in held if o <= last), default=-1.0)
        while held and held[0][0] <= until_s:
            _, _, _, look, then = heapq.heappop(held)
            then(self._answer(look))
        self._timer = loop.call_later(_EVERY_S, self._release) if held else None

    def _answer(self, look: Look) -> Looked:
        try:
            seen = look.seen
            rule = rule_of(*seen.model)
            change = self._memory.look(
                look.session, seen, rule, is_session=look.is_session
            )
        except Exception:  # noqa: BLE001 - a comparison is never worth the workers
            change = Change(0, None, None, None)
        return Looked(look.number, *change)

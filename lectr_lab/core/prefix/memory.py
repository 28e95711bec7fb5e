"""The prompts of the sessions seen last: what a new one is compared with.

Bounded: what is used least goes first, the prompts of a session after its latest ones,
and sessions after those that were asked in last.
"""

from collections import OrderedDict
from collections.abc import Hashable

from lectr_lab.core.prefix.compare import Change, Seen, compared
from lectr_lab.core.prefix.rules import CacheRule

MOST_BYTES = 32 * 1024 * 1024
_MOST_ALIVE = 16  # prompts of a session: its agents', its side calls'
_MOST_OF_A_KEY = 32  # where several sessions are not told apart
_ENTRY_BYTES = 600  # of a session, about


class PrefixMemory:
    """Digests of prompts, by their session.

    Args:
        most_bytes: to remember, about.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._sessions: OrderedDict[Hashable, list[Seen]] = OrderedDict()
        self.held_bytes = 0

    def look(
        self, session: Hashable, now: Seen, rule: CacheRule | None, *, is_session: bool
    ) -> Change:
        """Compare a prompt with those of its session, and remember it.

        Args:
            session: whose it is: anything that tells sessions apart.
            now: the prompt.
            rule: by which its provider caches.
            is_session: `session` is one session; else, all that a key sent.
        """
        alive = self._sessions.get(session)
        if alive is None:
            alive = self._sessions[session] = []
            self.held_bytes += _ENTRY_BYTES
        self._sessions.move_to_end(session)
        shared = [(seen, now.prompt.shared(seen.prompt)) for seen in alive]
        before = [one for one in shared if one[0].answered_s <= now.started_s]
        told = compared(now, before, rule, is_session=is_session)
        most = _MOST_ALIVE if is_session else _MOST_OF_A_KEY
        self._remember(alive, shared, now, most)
        return told

    def _remember(
        self, alive: list[Seen], shared: list[tuple[Seen, int]], now: Seen, most: int
    ) -> None:
        kept, gone, size = [], [], len(now.prompt)
        for seen, joints in shared:
            if joints < len(seen.prompt) or not _is_of(seen, now):
                kept.append(seen)
            elif (
                joints == size
            ):  # the same once more: it is cached since the first answer
                now = now._replace(answered_s=min(now.answered_s, seen.answered_s))
                gone.append(seen)
            else:
                (kept if seen.answered_s > now.started_s else gone).append(seen)
        kept.append(now)
        if len(kept) > 1 and kept[-2].started_s > now.started_s:
            kept.sort(key=lambda seen: seen.started_s)
        gone += kept[:-most]
        self.held_bytes += now.prompt.memory_bytes - _bytes(gone)
        alive[:] = kept[-most:]
        while self.held_bytes > self._most_bytes and len(self._sessions) > 1:
            _, gone = self._sessions.popitem(last=False)
            self.held_bytes -= _bytes(gone) + _ENTRY_BYTES


def _bytes(prompts: list[Seen]) -> int:
    return sum(seen.prompt.memory_bytes for seen in prompts)


def _is_of(seen: Seen, now: Seen) -> bool:
    """It was asked as the new one is: where that continues it, it tells no more."""
    return (
        seen.model == now.model
        and seen.agent == now.agent
        and seen.prompt.parameters == now.prompt.parameters
    )

"""The prompts of the sessions seen last: what a new one is compared with.

Bounded: what is used least goes first, the prompts of a session after its latest ones,
and sessions after those that were asked in last.
"""

from collections import OrderedDict
from collections.abc import Hashable

from lectr_lab.core.prefix.compare import Change, Seen, change
from lectr_lab.core.prefix.rules import CacheRule

MOST_BYTES = 32 * 1024 * 1024
_MOST_ALIVE = 16  # prompts of a session: its agents', its side calls'
_MOST_OF_A_KEY = 64  # where several sessions are not told apart
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
        before = [seen for seen in alive if seen.answered_s <= now.started_s]
        told = change(now, before, rule, is_session=is_session)
        self._remember(alive, now, _MOST_ALIVE if is_session else _MOST_OF_A_KEY)
        return told

    def _remember(self, alive: list[Seen], now: Seen, most: int) -> None:
        kept = [seen for seen in alive if not _is_within(seen, now)]
        kept = sorted([*kept, now], key=lambda seen: seen.started_s)[-most:]
        self.held_bytes += _bytes(kept) - _bytes(alive)
        alive[:] = kept
        while self.held_bytes > self._most_bytes and len(self._sessions) > 1:
            _, gone = self._sessions.popitem(last=False)
            self.held_bytes -= _bytes(gone) + _ENTRY_BYTES


def _bytes(prompts: list[Seen]) -> int:
    return sum(seen.prompt.memory_bytes for seen in prompts)


def _is_within(seen: Seen, now: Seen) -> bool:
    """An earlier prompt of which the new one is the continuation: it tells no more."""
    return (
        (seen.model, seen.agent, seen.prompt.parameters)
        == (now.model, now.agent, now.prompt.parameters)
        and seen.answered_s <= now.started_s
        and now.prompt.shared(seen.prompt) == len(seen.prompt)
    )

"""The connections of one process: how many there may be, and which has waited longest."""

import resource
from collections import OrderedDict
from typing import Protocol

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.core import error_responses
from lectr_lab.proxy.server.known_heads import KnownHeads

_OTHER_FILES = 64  # the log's, the keys', libraries that are loaded late
_FILES_EACH = 2  # the client's connection, and the one to a provider
_MOST_FILES = 65_536  # where the system knows no limit
_TURNED_AWAY = 16  # at once; they are some of the other files
_READ_BYTES = 64 * 1024


class Connection(Protocol):
    """What the crowd asks of one."""

    def shut(self) -> None:
        """Close it now."""


class Crowd:
    """All connections of a process, and what it knows for all of them.

    A connection waits when none of its requests is answered: it is idle, or a head on it
    is not whole, or it was refused and is about to close. Those make room for others,
    whoever has waited longest first. All others are at work: for somebody with a key, or
    on a refusal, which takes no longer than a moment.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self.most = limits.connections or connections_for(open_files())
        self.most_waiting = limits.idle_connections or self.most
        self.look_every_s = min(
            limits.head_timeout_s, limits.body_timeout_s, limits.keep_alive_s
        )
        self.line_too_long = error_responses.request_line_too_long(
            limits.request_line_bytes
        )
        self.head_too_large = error_responses.head_too_large(
            limits.head_bytes, limits.head_fields
        )
        self.known_heads = KnownHeads()
        self.retiring = False  # no connection outlives its next reply
        # What is read is parsed before anything else is: one place is enough for it.
        self.read_buffer = bytearray(_READ_BYTES)
        # In the order that they began to. A dict would look for its first at each name
        # that was ever before it.
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._turned_away: OrderedDict[Connection, None] = OrderedDict()

    def room(self, connections: int) -> bool:
        """Whether one more may stay, where there are so many with it."""
        if connections <= self.most:
            return True
        return self._shut_first(self._waiting)

    def waits(self, connection: Connection) -> None:
        """It has nothing to do from now on."""
        self._waiting[connection] = None
        self._waiting.move_to_end(connection)
        if len(self._waiting) > self.most_waiting:
            self._shut_first(self._waiting)

    def works(self, connection: Connection) -> None:
        """It has a request."""
        self._waiting.pop(connection, None)

    def turned_away(self, connection: Connection) -> None:
        """There was no room; it is told so, and goes."""
        self._waiting.pop(connection, None)
        self._turned_away[connection] = None
        if len(self._turned_away) > _TURNED_AWAY:
            self._shut_first(self._turned_away)

    def gone(self, connection: Connection) -> None:
        """It is closed."""
        self._waiting.pop(connection, None)
        self._turned_away.pop(connection, None)

    def _shut_first(self, some: OrderedDict[Connection, None]) -> bool:
        if not some:
            return False
        first, _ = some.popitem(last=False)
        first.shut()
        return True


def open_files() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_FILES if soft == resource.RLIM_INFINITY else soft


def connections_for(files: int) -> int:
    """How many clients can be answered at once with so many files.

    >>> connections_for(512), connections_for(65_536)
    (224, 32736)
    """
    return max(1, (files - _OTHER_FILES) // _FILES_EACH)

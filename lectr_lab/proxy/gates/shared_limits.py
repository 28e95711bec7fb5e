"""The limits of an organisation over all workers of a port: no server, a file each.

What cannot be shared, as the folder cannot be written, each worker counts alone.
"""

import contextlib
import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.log.folder import FOLDER_MODE
from lectr_lab.proxy.shared.member import Member
from lectr_lab.proxy.shared.places import SUFFIX as PLACES
from lectr_lab.proxy.shared.places import Places
from lectr_lab.proxy.shared.ring import SUFFIX as RING
from lectr_lab.proxy.shared.ring import Ring

FOLDER = "limits"


class SharedRate:
    """Counts each organisation's requests, as `RequestRate` does.

    Args:
        limits: requests a minute, by organisation.
        folder: of the files, where it exists.
        now_s: a clock that all processes share.

    Raises:
        OSError: the files cannot be made.
    """

    name, at_head, counts_nothing = "requests_per_minute", True, True

    def __init__(
        self, limits: Mapping[str, int], folder: Path, now_s: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._rings = {
            org: Ring(folder / (_name(org) + RING), limit, now_s)
            for org, limit in limits.items()
        }

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Count a request, or say why not."""
        org = exchange.key.org
        ring = self._rings.get(org)
        wait_s = None if ring is None else ring.admit()
        if wait_s is None:
            return None
        after_s = max(1, math.ceil(wait_s))
        return error_responses.rate_limited(self._limits[org], after_s)

    def ended(self, event: Event) -> None:
        """It counts all the same."""


class SharedStreams:
    """Gives each stream of an organisation a place while it runs, as `ConcurrentStreams`
    does; a process that dies gives its places back.

    Args:
        limits: streams at once, by organisation.
        folder: of the files, where it exists.

    Raises:
        OSError: the files cannot be made.
    """

    name, at_head = "concurrent_streams", False

    def __init__(self, limits: Mapping[str, int], folder: Path) -> None:
        self._limits = limits
        self._running: dict[bytes, Places] = {}
        member = Member(folder)
        self._places = {
            org: Places(folder / (_name(org) + PLACES), limit, member)
            for org, limit in limits.items()
        }

    def admit(self, exchange: Exchange) -> Refusal | None:
        """Take a place, or say that there is none. What is no stream needs none."""
        org = exchange.key.org
        places = self._places.get(org)
        if places is None or not exchange.request.stream:
            return None
        if not places.take():
            return error_responses.too_many_streams(self._limits[org])
        self._running[exchange.event_id] = places
        return None

    def ended(self, event: Event) -> None:
        """Give the place back."""
        places = self._running.pop(event.event_id, None)
        if places is not None:
            places.give_back()


def made(state: Path) -> Path:
    """The folder of the files, in a lab's `state/`. Raises OSError: it cannot be made."""
    folder = state / FOLDER
    with contextlib.suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
    return folder


def alone(error: OSError) -> str:
    """What is said where nothing can be shared."""
    why = error.strerror or str(error)
    return f"limits hold for each worker alone: state/{FOLDER} cannot be used, {why}"


def _name(org: str) -> str:
    """Of an organisation's files: names are case-sensitive, file systems may not be."""
    return hashlib.blake2b(org.encode(), digest_size=8).hexdigest()

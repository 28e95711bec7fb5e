"""The bodies of all requests that are not answered yet: how much memory they hold.

Large blocks are given back when they are freed. glibc would otherwise learn from the
first large body to keep the next ones: 24 of 31 MB at once left 1.1 GB behind.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_LARGE_BYTES = 64 * 1024  # as large as the pieces that come from a busy socket
_SHARE = 4  # a quarter of what there is


class Busy(Exception):
    """There is no room for more of a body."""


class BodiesInFlight:
    """Counts the bytes of bodies, as they come, until their requests are over.

    Args:
        most_bytes: of all of them at once; None: a quarter of the machine's memory.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self.most_bytes = most_bytes or memory_bytes() // _SHARE
        self.held_bytes = 0

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        held = {"bytes": self.held_bytes, "most_bytes": self.most_bytes}
        return {"bodies_in_flight": held}


class Held:
    """What one request's body holds, until it is left as a context.

    >>> bodies = BodiesInFlight(10)
    >>> with Held(bodies) as held:
    ...     held.add(4)
    ...     bodies.held_bytes
    4
    >>> bodies.held_bytes
    0
    """

    def __init__(self, bodies: BodiesInFlight) -> None:
        self._bodies = bodies
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def add(self, size_bytes: int) -> None:
        """So much more of it is here. Raises Busy: there is no room for it."""
        bodies = self._bodies
        if bodies.held_bytes + size_bytes > bodies.most_bytes:
            raise Busy
        bodies.held_bytes += size_bytes
        self._bytes += size_bytes

    def check_room(self, size_bytes: int) -> None:
        """So much more is to come. Raises Busy: there would be no room for it."""
        if self._bodies.held_bytes + size_bytes > self._bodies.most_bytes:
            raise Busy

    def __exit__(self, *_: object) -> None:
        self._bodies.held_bytes -= self._bytes
        self._bytes = 0


def memory_bytes(root: Path = Path("/")) -> int:
    """What this process may use of the machine's memory, its container's limit heeded.

    Args:
        root: where /proc and /sys are.

    >>> memory_bytes() > 0
    True
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_cgroup_limits(root)])


def _cgroup_limits(root: Path) -> Iterator[int]:
    """Of this process's groups and those above them, version 2 or 1, as far as they can
    be read."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, path = line.split(":", 2) if line.count(":") > 1 else ("", "-", "")
        if kinds not in ("", "memory"):
            continue
        top = root / "sys/fs/cgroup" / kinds
        name = "memory.limit_in_bytes" if kinds else "memory.max"
        group = top / path.lstrip("/")
        for folder in (top, group, *group.parents):
            text = _text(folder / name).strip()
            if folder.is_relative_to(top) and text.isdigit() and int(text) > 0:
                yield int(text)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def give_back_large_blocks() -> None:
    """Have every block of 64 KB and more mapped alone, and so returned when it is
    freed. Where malloc is not glibc's, nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)

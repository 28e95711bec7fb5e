"""Which proxies serve a lab now: each says so in `state/`, for `lectr-lab run` to find.

    state/serving.<pid>.json    where it listens, and what its /health calls itself

A process that was killed leaves its file; the next one that serves the lab removes it.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder

_FILES = "serving.*.json"
_MOST_BYTES = 4_096


class Serving(msgspec.Struct, frozen=True):
    """A proxy that serves a lab. Whoever took its port after it says another `instance`."""

    base_url: str
    instance: str
    pid: int


@contextlib.contextmanager
def said(lab: LabFolder, base_url: str, instance: str) -> Iterator[None]:
    """While this holds, others find this process. Nothing depends on it: a folder that
    cannot be written is no reason to stop.

    Args:
        lab: whose log the proxy writes.
        base_url: where it listens.
        instance: what its /health says.

    >>> import tempfile
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> with said(lab, "http://127.0.0.1:1", "x"):
    ...     [one.instance for one in serving(lab)]
    ['x']
    >>> serving(lab)
    []
    """
    path = lab.state / f"serving.{os.getpid()}.json"
    ours = msgspec.json.encode(Serving(base_url, instance, os.getpid()))
    with contextlib.suppress(OSError):
        for other in lab.state.glob(_FILES):
            if _read(other) is None:
                other.unlink(missing_ok=True)
        write_whole(path, ours, durable=False)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def serving(lab: LabFolder) -> list[Serving]:
    """The proxies whose processes live, in no order. Nothing is written."""
    with contextlib.suppress(OSError):
        found = [_read(path) for path in lab.state.glob(_FILES)]
        return [one for one in found if one is not None]
    return []


def _read(path: Path) -> Serving | None:
    """What a file says; None where it says nothing, or its process is dead."""
    try:
        data = read_regular(path, follow=False, most_bytes=_MOST_BYTES)
        one = msgspec.json.decode(data, type=Serving)
    except (OSError, msgspec.MsgspecError):
        return None
    return one if one.pid > 0 and _lives(one.pid) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (OSError, OverflowError):
        return False
    return True

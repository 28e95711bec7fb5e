"""Files that are files: opened without waiting, read within a bound, written aside.

A name in a folder may lead to a pipe (opening one waits for its writer), to a device
(which has no end), or, by a link, to what somebody else chose. Nothing here waits for
such a thing, reads it or writes through it.
"""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

PRIVATE = 0o600
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def strange(mode: int) -> str | None:
    """What a file of that mode is instead of a file, for messages; None where it is one.

    >>> strange(Path("/dev/null").stat().st_mode)
    'it is a device, not a file'
    """
    if stat.S_ISREG(mode):
        return None
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "a device")
    return f"it is {kind}, not a file"


def open_regular(path: Path, *, follow: bool = True, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a file, without waiting for anything that is none.

    Args:
        path: a file that is there.
        follow: a link counts as the file that it leads to.
        flags: for reading, unless they say else.

    Raises:
        OSError: there is none, or it is no file: `strerror` says what it is.
    """
    _refuse(path.stat(follow_symlinks=follow).st_mode, path)
    only = 0 if follow else os.O_NOFOLLOW
    fd = os.open(path, flags | only | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _refuse(os.fstat(fd).st_mode, path)  # it may be another one by now
    except OSError:
        os.close(fd)
        raise
    return fd


def read_regular(
    path: Path, *, follow: bool = True, most_bytes: int | None = None
) -> bytes:
    """What a file holds.

    Args:
        path: a file that is there.
        follow: a link counts as the file that it leads to.
        most_bytes: one that holds more is not read.

    Raises:
        OSError: there is none, it is no file, it cannot be read or is too large:
            `strerror` says which.
    """
    with os.fdopen(open_regular(path, follow=follow), "rb") as file:
        data = file.read(-1 if most_bytes is None else most_bytes + 1)
    if most_bytes is not None and len(data) > most_bytes:
        reason = f"it has more than {most_bytes:,} bytes"
        raise OSError(errno.EFBIG, reason, str(path))
    return data


def write_whole(
    path: Path, data: bytes, aside: Path | None = None, *, durable: bool = True
) -> None:
    """The whole file under its name, for its owner alone, or nothing.

    Whatever else stands at either name, such as a link that somebody put there, is
    neither followed nor written to.

    Args:
        path: in a folder that exists; a file there is replaced.
        data: what it will hold.
        aside: where it is written first, on the same file system; what a dead writer
            left there is removed. None: beside it, under a name that no other has.
        durable: it is safe from power loss on return.

    Raises:
        OSError: nothing has changed at `path`.
    """
    aside = aside or path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    aside.unlink(missing_ok=True)
    new = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(aside, new, PRIVATE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(fd)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe from power loss."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refuse(mode: int, path: Path) -> None:
    if reason := strange(mode):
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, reason, str(path))

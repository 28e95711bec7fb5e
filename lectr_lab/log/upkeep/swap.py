"""Two folders change places in one step, so that no reader finds neither.

POSIX has no such call. Linux has renameat2(2) with RENAME_EXCHANGE, macOS renamex_np
with RENAME_SWAP; ext4, xfs, btrfs, tmpfs and APFS can, NFS and exFAT cannot.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # sys/stdio.h of macOS


def exchange(one: Path, other: Path) -> None:
    """Each path leads to what the other led to, from one moment to the next.

    Args:
        one: a file or folder.
        other: another, on the same file system.

    Raises:
        OSError: nothing has changed. ENOTSUP where the system or file system has no
            such step; there is no fallback, since two renames would leave a gap.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(first, second, _RENAME_SWAP)
        else:
            failed = libc.renameat2(
                _AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE
            )
    except AttributeError:  # a libc without the call
        raise _cannot(one) from None
    if failed:
        number = ctypes.get_errno()
        if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise _cannot(one)
        raise OSError(number, os.strerror(number), str(one))


def _cannot(path: Path) -> OSError:
    return OSError(
        errno.ENOTSUP, "this file system cannot swap two folders in one step", str(path)
    )

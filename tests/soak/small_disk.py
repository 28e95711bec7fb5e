"""A disk that is full: a small tmpfs where one may be mounted, else a limit on files.

The mount is in a mount namespace of this process and its children alone, so that it is
gone when they are, however they end.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
from pathlib import Path

_CLONE_NEWNS = 0x00020000  # linux/sched.h
_SIZE_MB = 48


class SmallDisk:
    """A folder on which there can be no room. `how` says what kind it is."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._mounted = _mounted(folder)
        self.how = (
            f"tmpfs of {_SIZE_MB} MB" if self._mounted else "limit on the size of files"
        )

    def fill(self, pid: int) -> None:
        """From now on the proxy's disk takes nothing."""
        if not self._mounted:
            self._limit(pid, 1)
            return
        with contextlib.suppress(OSError), self._filler.open("wb", 0) as file:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free(self, pid: int) -> None:
        """There is room again."""
        if self._mounted:
            self._filler.unlink(missing_ok=True)
        else:
            self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid: int, size: int) -> None:
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        soft = hard if size == resource.RLIM_INFINITY else size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

    @property
    def _filler(self) -> Path:
        return self._folder / "filler"

    def close(self) -> None:
        """Unmount it; what is on it stays in its folder."""
        if not self._mounted:
            return
        self._filler.unlink(missing_ok=True)
        kept = self._folder.with_suffix(".kept")
        shutil.copytree(self._folder, kept)
        subprocess.run(["umount", "-l", str(self._folder)], check=True)
        self._folder.rmdir()
        kept.rename(self._folder)


def _mounted(folder: Path) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(_CLONE_NEWNS) != 0:
        return False
    mounts = (
        ["mount", "--make-rprivate", "/"],
        [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={_SIZE_MB}m,mode=700",
            "tmpfs",
            str(folder),
        ],
    )
    try:
        return all(
            subprocess.run(m, check=False, capture_output=True).returncode == 0
            for m in mounts
        )
    except OSError:  # there is no such program
        return False

"""One at a time changes a file of `state/`: flock on a file beside it, which ends with the
process that has it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lectr_lab.core.errors import LogError
from lectr_lab.log.folder import FILE_MODE, FOLDER_MODE, LabFolder


@contextmanager
def state_locked(lab: LabFolder, name: str) -> Iterator[None]:
    """Hold `state/<name>.lock`, as soon as nobody else does.

    Args:
        lab: whose state is changed; the folder `state/` is made where there is none.
        name: of what is changed.

    Raises:
        LogError: the lock cannot be made.
    """
    path = lab.state / f"{name}.lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        lab.state.mkdir(mode=FOLDER_MODE, exist_ok=True)
        fd = os.open(path, flags, FILE_MODE)
    except OSError as error:
        raise LogError(f"{lab.state} cannot be written: {error.strerror}.") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)

"""How many events did not reach the log, where every reader can find it.

One small file per writer, `state/dropped.<writer>`, holds its count so far: written
aside and renamed, so that a reader sees the old number or the new one.
"""

import contextlib

from lectr_lab.log.folder import FILE_MODE, LabFolder

_PREFIX = "dropped."


def write_losses(lab: LabFolder, writer: str, dropped: int) -> bool:
    """Say how many events a writer has dropped so far.

    Args:
        lab: the lab folder.
        writer: a name that no other writer has; letters and digits.
        dropped: the count since that writer began.

    Returns:
        False where the disk did not take it; say it again later.
    """
    path = lab.state / f"{_PREFIX}{writer}"
    aside = lab.state / f".{path.name}"
    try:
        aside.touch(FILE_MODE)
        aside.write_text(str(dropped), "ascii")
        aside.replace(path)
    except OSError:
        return False
    return True


def dropped_events(lab: LabFolder) -> int:
    """Events dropped by all writers that this folder has had.

    >>> import tempfile; from pathlib import Path
    >>> lab = LabFolder.create(Path(tempfile.mkdtemp()))
    >>> write_losses(lab, "a1", 3), write_losses(lab, "b2", 4), dropped_events(lab)
    (True, True, 7)
    """
    total = 0
    for path in lab.state.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            total += int(path.read_text("ascii"))
    return total

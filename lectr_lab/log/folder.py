"""A lab folder: where the log, the journal and the state of a lab lie.

    log/date=YYYY-MM-DD/<name>.parquet    sealed events; nothing else is in log/
    journal/<YYYY-MM-DD>.<name>.journal   events not sealed yet: one segment a file
    journal/*.bad                         what could not be read, kept for `doctor`
    state/                                keys, the secret of hashes, checksums of
                                          parts, counts of losses

A segment and its part share a name, so that no event counts twice.
"""

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple, Self

from lectr_lab.core.errors import LogError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_WRITABLE_BY_OTHERS = 0o022
_DAY = re.compile(r"date=(\d{4}-\d\d-\d\d)")
_SEGMENT = re.compile(r"(\d{4}-\d\d-\d\d)\.([0-9a-f]{32})\.(?:journal|bad)")


class LabFolder(NamedTuple):
    """The paths of a lab, from its root."""

    root: Path

    @property
    def log(self) -> Path:
        """Parquet parts, for any reader."""
        return self.root / "log"

    @property
    def journal(self) -> Path:
        """Segments that are being written, or wait to be sealed."""
        return self.root / "journal"

    @property
    def state(self) -> Path:
        """Keys and counts."""
        return self.root / "state"

    @classmethod
    def create(cls, root: Path) -> Self:
        """Make what is missing of a lab folder, readable by its owner alone.

        Args:
            root: the lab folder; its parents are made too.

        Returns:
            The folder, with `log/`, `journal/` and `state/` in it.

        Raises:
            LogError: it is a file, or cannot be written.

        >>> import tempfile
        >>> lab = LabFolder.create(Path(tempfile.mkdtemp()) / "lab")
        >>> sorted(p.name for p in lab.root.iterdir())
        ['journal', 'log', 'state']
        """
        lab = cls(root)
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            for folder in (root, lab.log, lab.journal, lab.state):
                folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _not_a_folder(root) from None
        except OSError as error:
            raise _unwritable(root, error.strerror or "unknown reason") from None
        for folder in (lab.log, lab.journal, lab.state):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise _unwritable(root, f"{folder.name}/ is read-only for this user")
        return lab

    @classmethod
    def existing(cls, root: Path) -> Self:
        """A lab folder that is there already; nothing is written.

        Raises:
            LogError: there is no such folder, or it is a file.
        """
        if root.is_dir():
            return cls(root)
        if root.exists():
            raise _not_a_folder(root)
        raise LogError(
            f"There is no folder {root}. `lectr-lab init` makes one and `lectr-lab "
            "serve` fills it; if it is elsewhere, name that path."
        )

    @classmethod
    def used(cls, root: Path) -> Self:
        """A folder that is a lab, not any other one.

        Raises:
            LogError: there is no such folder, or nothing of a lab is in it.
        """
        lab = cls.existing(root)
        if not (lab.log.is_dir() or lab.journal.is_dir() or lab.state.is_dir()):
            raise LogError(
                f"{root} is no lab: it has no log/, journal/ or state/. Name the folder "
                "that has."
            )
        return lab

    def exposed(self) -> str | None:
        """That somebody else may change what is in `state/`; None where none may.

        Who may put files there can make keys.

        >>> import tempfile
        >>> LabFolder.create(Path(tempfile.mkdtemp()) / "lab").exposed()
        """
        try:
            about = self.state.stat(follow_symlinks=False)
        except OSError:
            return None
        if stat.S_ISLNK(about.st_mode):
            return f"{self.state} is a link. Put the folder itself there."
        if about.st_mode & _WRITABLE_BY_OTHERS:
            return (
                f"Other users of this machine may write in {self.state} and so make "
                "keys. `lectr-lab doctor --mend` closes it to them."
            )
        if about.st_uid not in (0, os.geteuid()):
            return (
                f"{self.state} belongs to another user of this machine, who may make "
                "keys. Run lectr-lab as that user, or give the folder to this one."
            )
        return None

    def segment(self, day: date, name: str) -> Path:
        """Where a segment lies.

        >>> LabFolder(Path("lab")).segment(date(2026, 11, 24), "0" * 32).name
        '2026-11-24.00000000000000000000000000000000.journal'
        """
        return self.journal / f"{day.isoformat()}.{name}.journal"

    def part(self, segment: Path) -> Path:
        """Where a segment's part lies once it is sealed."""
        day, name, _ = segment.name.split(".")
        return self.log / f"date={day}" / f"{name}.parquet"

    def day(self, day: date) -> Path:
        """The folder of a day's parts."""
        return self.log / f"date={day.isoformat()}"

    def days(self) -> list[date]:
        """The days that have a folder in the log, oldest first; not by a link."""
        if not self.log.is_dir():
            return []
        folders = (p for p in self.log.iterdir() if p.is_dir() and not p.is_symlink())
        found = map(folder_date, folders)
        return sorted(day for day in found if day is not None)

    def day_bytes(self, day: date) -> int:
        """The bytes of a day's parts; 0 where there is no such day."""
        total = 0
        with contextlib.suppress(FileNotFoundError):  # compacted meanwhile
            for path in self.day(day).iterdir():
                total += path.stat().st_size if path.is_file() else 0
        return total

    def segments(self) -> list[Path]:
        """The segments in the journal, by date and age; foreign files are left out."""
        return self._segments(".journal")

    def set_aside(self) -> list[Path]:
        """Segments that could not all be read, kept after they were sealed."""
        return self._segments(".bad")

    def _segments(self, suffix: str) -> list[Path]:
        if not self.journal.is_dir():
            return []
        named = (p for p in self.journal.iterdir() if p.suffix == suffix)
        return sorted(p for p in named if segment_date(p) is not None)


def segment_date(path: Path) -> date | None:
    """The date in a segment's name; None where it is not the name of one.

    >>> segment_date(Path(f"2026-11-24.{'0' * 32}.journal"))
    datetime.date(2026, 11, 24)
    >>> segment_date(Path("notes.txt"))
    """
    return _date_in(path, _SEGMENT)


def folder_date(path: Path) -> date | None:
    """The date in the name of a day's folder; None where it is not the name of one.

    >>> folder_date(Path("log/date=2026-11-24"))
    datetime.date(2026, 11, 24)
    >>> folder_date(Path("log/notes"))
    """
    return _date_in(path, _DAY)


def _date_in(path: Path, form: re.Pattern[str]) -> date | None:
    named = form.fullmatch(path.name)
    try:
        return date.fromisoformat(named[1]) if named else None
    except ValueError:
        return None


@contextlib.contextmanager
def day_locked(folder: Path, *, alone: bool) -> Iterator[bool]:
    """Hold a day of the log: its parts do not change places meanwhile.

    Whoever adds a part shares the lock; whoever swaps the folder for another has it
    alone, and waits a moment for it. The lock is flock on the folder itself: it needs
    no file, and ends with the process.

    Args:
        folder: `log/date=YYYY-MM-DD`; it exists.
        alone: nobody else may hold it.

    Yields:
        False where the folder was swapped or removed while we waited.

    Raises:
        OSError: there is no such folder.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(folder, flags)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield leads_to(folder, fd)
    finally:
        os.close(fd)


def leads_to(path: Path, fd: int) -> bool:
    """The path is that of the open file, and not of nothing or another one."""
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except OSError:
        return False


def _not_a_folder(root: Path) -> LogError:
    return LogError(
        f"{root} is a file, or lies below one, or has a file in the place of a folder. "
        "Name another folder for the lab, or move that file away."
    )


def _unwritable(root: Path, reason: str) -> LogError:
    return LogError(
        f"The lab folder {root} cannot be written: {reason}. Give this user write "
        "access to it, or name another folder."
    )

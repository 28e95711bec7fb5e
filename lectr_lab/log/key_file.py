"""The key file, `state/keys.json`: whose X-Lectr-Keys are known, by digest.

It is written aside and renamed, so a reader sees the old one or the new one; writers
wait for each other on `state/keys.lock`. A key itself is returned once, to whoever made
it, and is on no disk.
"""

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import msgspec

from lectr_lab.core.errors import LogError
from lectr_lab.core.keys import KeyEntry, KeyTable, digest, looks_like_key, new_key
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.state_lock import state_locked

_ORG = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RANDOM_BYTES = 24
_SALT_BYTES = 16
_LOOK_EVERY_S = 0.25

_Stamp = tuple[int, int, int]


class _Contents(msgspec.Struct, frozen=True):
    """state/keys.json."""

    salt: str
    keys: tuple[KeyEntry, ...] = ()
    version: int = 1


def create_key(
    lab: LabFolder, org: str, feature: str | None = None
) -> tuple[KeyEntry, str]:
    """Make a key for an organisation.

    Args:
        lab: the folder that will know it.
        org: 1 to 64 of letters, digits, dot, dash and underscore.
        feature: counts for requests of this key that name no feature themselves.

    Returns:
        Its entry, and the key: this is the only time it can be seen.

    Raises:
        LogError: the name is not one, or the key file cannot be read or written.
    """
    if not _ORG.fullmatch(org):
        raise LogError(
            f"{org!r} cannot name an organisation: use 1 to 64 letters, digits, dots, "
            "dashes and underscores, such as my-team."
        )
    with _changing(lab) as contents:
        return _add(lab, contents, org, feature)


def rotate_key(lab: LabFolder, key_or_org: str) -> tuple[KeyEntry, str]:
    """Replace a key: a new one with its organisation and feature; the old one stops.

    Args:
        lab: the folder that knows it.
        key_or_org: a key's id, or an organisation with one active key.

    Returns:
        The new key's entry, and the key: this is the only time it can be seen.

    Raises:
        LogError: there is no such active key, or there are several.
    """
    with _changing(lab) as contents:
        [old, *others] = _active(contents.keys, key_or_org)
        if others:
            ids = ", ".join(entry.key_id for entry in (old, *others))
            raise LogError(f"{key_or_org} has several keys: name one of {ids}.")
        return _add(lab, _disabled(contents, [old]), old.org, old.feature)


def disable_key(lab: LabFolder, key_or_org: str) -> list[KeyEntry]:
    """Stop a key, or every key of an organisation.

    Returns:
        The entries that were active, as they are now.

    Raises:
        LogError: there is no such active key.
    """
    with _changing(lab) as contents:
        stopped = {e.key_id for e in _active(contents.keys, key_or_org)}
        new = _disabled(contents, [e for e in contents.keys if e.key_id in stopped])
        _write(lab, new)
        return [entry for entry in new.keys if entry.key_id in stopped]


def list_keys(lab: LabFolder) -> list[KeyEntry]:
    """Every key's entry, oldest first, disabled ones included.

    Raises:
        LogError: the key file cannot be read.
    """
    return list(_read(lab).keys)


class KeyFile:
    """The key file as a running proxy sees it: always a table, never an error."""

    def __init__(self, lab: LabFolder) -> None:
        self._lab = lab
        self._path = _file(lab)
        self._table = KeyTable((), b"")
        self._stamp: _Stamp | None = None
        self._looked_at_s: float | None = None
        self.problem: str | None = None
        self._broken = False

    def table(self, now_s: float) -> KeyTable:
        """The keys as of at most 0.25 s ago; the last good ones while the file is bad.

        Args:
            now_s: any monotonic clock.
        """
        if self._looked_at_s is None or now_s - self._looked_at_s >= _LOOK_EVERY_S:
            self._looked_at_s = now_s
            self._look()
        return self._table

    def find_new(self, key: str) -> KeyEntry | None:
        """Whose key this is, where it was made since `table` looked."""
        if not looks_like_key(key):
            return None
        self._look()  # a stat, for a caller that is unknown
        return self._table.find(key)

    def warnings(self) -> list[str]:
        """Why callers may be refused; without the folder's place, for anyone to see."""
        self.table(time.monotonic())
        return [self.problem.replace(f"{self._lab.root}/", "")] if self.problem else []

    def unreadable(self) -> str | None:
        """Why the file cannot be read, without its place. That there is none yet is no
        such reason: a key works as soon as it is made."""
        warnings = self.warnings()
        return warnings[0] if warnings and self._broken else None

    def _look(self) -> None:
        try:
            stat = self._path.stat()
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            contents = _load(self._lab)
        except FileNotFoundError:
            self._stamp, self._broken = None, False
            self.problem = (
                f"There is no {self._path}: no key is known. "
                "`lectr-lab keys create` makes one."
            )
        except OSError as error:
            self._stamp, self._broken = None, True
            self.problem = str(error)
        else:
            self._stamp, self._broken = stamp, False
            self._table = KeyTable(contents.keys, bytes.fromhex(contents.salt))
            self.problem = None


def _file(lab: LabFolder) -> Path:
    return lab.state / "keys.json"


def _read(lab: LabFolder) -> _Contents:
    try:
        return _load(lab)
    except FileNotFoundError:
        return _Contents(salt=secrets.token_hex(_SALT_BYTES))


def _load(lab: LabFolder) -> _Contents:
    """The key file.

    Raises:
        FileNotFoundError: there is none yet.
        LogError: it cannot be read.
    """
    try:
        data = read_regular(_file(lab), follow=False)
        contents = msgspec.json.decode(data, type=_Contents)
        bytes.fromhex(contents.salt)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise LogError(f"{_file(lab)} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise LogError(
            f"{_file(lab)} is not a key file any more. Bring it back from a copy, or "
            "move it away and make new keys with `lectr-lab keys create`."
        ) from None
    return contents


@contextmanager
def _changing(lab: LabFolder) -> Iterator[_Contents]:
    """The contents, while no other process changes them."""
    with state_locked(lab, "keys"):
        yield _read(lab)


def _add(
    lab: LabFolder, contents: _Contents, org: str, feature: str | None
) -> tuple[KeyEntry, str]:
    key = new_key(secrets.token_bytes(_RANDOM_BYTES))
    entry = KeyEntry(
        key_id=f"key_{secrets.token_hex(6)}",
        org=org,
        digest=digest(key, bytes.fromhex(contents.salt)),
        created_at=datetime.now(UTC),
        feature=feature,
    )
    _write(lab, msgspec.structs.replace(contents, keys=(*contents.keys, entry)))
    return entry, key


def _write(lab: LabFolder, contents: _Contents) -> None:
    data = msgspec.json.format(msgspec.json.encode(contents))
    try:
        write_whole(_file(lab), data, lab.state / "keys.json.tmp")
    except OSError as error:
        raise LogError(f"{_file(lab)} cannot be written: {error.strerror}.") from None


def _active(entries: Sequence[KeyEntry], key_or_org: str) -> list[KeyEntry]:
    """The active keys named; at least one."""
    named = [e for e in entries if e.key_id == key_or_org]
    named = named or [e for e in entries if e.org == key_or_org]
    active = [e for e in named if e.disabled_at is None]
    if active:
        return active
    if named:
        raise LogError(
            f"{key_or_org} has no active key. `lectr-lab keys create` makes one."
        )
    known = {name for e in entries for name in (e.org, e.key_id)}
    near = ", ".join(get_close_matches(key_or_org, sorted(known))) or "nothing similar"
    raise LogError(
        f"No key or organisation is called {key_or_org!r}; the nearest: {near}. "
        "`lectr-lab keys list` shows all."
    )


def _disabled(contents: _Contents, entries: list[KeyEntry]) -> _Contents:
    now = datetime.now(UTC)
    stopped = {e.key_id for e in entries}
    keys = tuple(
        msgspec.structs.replace(e, disabled_at=now) if e.key_id in stopped else e
        for e in contents.keys
    )
    return msgspec.structs.replace(contents, keys=keys)

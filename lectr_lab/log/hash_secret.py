"""The secret of a lab's keyed hashes: LECTR_HASH_KEY, else state/hash_key, made once.

Labs with the same secret have the same hash for the same person: a fleet of proxies is
given one variable. The text of state/hash_key may be put there, too. A short one is
stretched (scrypt, RFC 7914), so that guessing it costs 50 ms a guess, and warned of.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from lectr_lab.core.errors import LogError
from lectr_lab.files import read_regular, write_whole
from lectr_lab.log.folder import FILE_MODE, LabFolder

SECRET_VARIABLE = "LECTR_HASH_KEY"
LEAST_CHARS = 16
_MOST_BYTES = 4096


def hash_secret(lab: LabFolder, environ: Mapping[str, str]) -> str:
    """The secret; one is made and kept where there is none.

    Args:
        lab: the folder of the log that hashes will stand in.
        environ: the variables of this process.

    Raises:
        LogError: the file cannot be read or written, or is not one.

    >>> hash_secret(LabFolder(Path("unused")), {"LECTR_HASH_KEY": "0123456789abcdef"})
    '0123456789abcdef'
    """
    given = environ.get(SECRET_VARIABLE, "").strip()
    if given and len(given) < LEAST_CHARS:
        data = given.encode("utf-8", "surrogateescape")
        return hashlib.scrypt(data, salt=b"lectr_lab", n=2**14, r=8, p=1).hex()
    return given or _kept(lab.state / "hash_key")


def weakness(environ: Mapping[str, str]) -> str | None:
    """What to say of a secret that can be guessed; None where it cannot.

    >>> weakness({"LECTR_HASH_KEY": "fleet"})[:41]
    'LECTR_HASH_KEY has fewer than 16 characte'
    """
    if not 0 < len(environ.get(SECRET_VARIABLE, "").strip()) < LEAST_CHARS:
        return None
    return (
        f"{SECRET_VARIABLE} has fewer than {LEAST_CHARS} characters: who has the log may "
        "guess it, and then the users. `openssl rand -hex 32` makes a better one."
    )


def _kept(path: Path) -> str:
    try:
        found = _read(path)
        return _made(path) if found is None else found
    except LogError:  # which is one of the system's, too
        raise
    except OSError as error:
        raise LogError(
            f"{path} cannot be used: {error.strerror}. Until it can, no hash of a user "
            "is logged."
        ) from None


def _read(path: Path) -> str | None:
    try:
        text = read_regular(path, follow=False, most_bytes=_MOST_BYTES)
    except FileNotFoundError:
        return None
    secret = text.decode("ascii", "replace").strip()
    if len(secret) < LEAST_CHARS or not secret.isascii():
        raise LogError(
            f"{path} is no secret any more. Bring it back from a copy; or move it away, "
            "and users have new hashes from the next start on."
        )
    return secret


def _made(path: Path) -> str:
    """A new one, unless another process was faster."""
    flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path.with_name("hash_key.lock"), flags, FILE_MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        found = _read(path)
        if found is not None:
            return found
        secret = secrets.token_hex(32)
        write_whole(path, secret.encode() + b"\n")
        return secret
    finally:
        os.close(fd)

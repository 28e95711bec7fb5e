"""The secret of a lab's keyed hashes: LECTR_HASH_KEY, else state/hash_key, made once.

Labs with the same secret have the same hash for the same person: a fleet of proxies is
given one variable. The text of state/hash_key may be put there, too.
"""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from lectr_lab.core.errors import ConfigError, LogError
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
        ConfigError: LECTR_HASH_KEY is so short that it can be guessed.
        LogError: the file cannot be read or written, or is not one.

    >>> hash_secret(LabFolder(Path("unused")), {"LECTR_HASH_KEY": "0123456789abcdef"})
    '0123456789abcdef'
    """
    given = environ.get(SECRET_VARIABLE, "").strip()
    if given and len(given) < LEAST_CHARS:
        raise ConfigError(
            f"{SECRET_VARIABLE} has fewer than {LEAST_CHARS} characters: it can be "
            "guessed.\nUnset it, or make one that cannot:\n\n"
            f"  export {SECRET_VARIABLE}=$(openssl rand -hex 32)"
        )
    return given or _kept(lab.state / "hash_key")


def _kept(path: Path) -> str:
    try:
        found = _read(path)
        return _made(path) if found is None else found
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

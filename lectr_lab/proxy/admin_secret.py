"""LECTR_ADMIN_SECRET: whoever sends it is the operator. It can be guessed at slowly only.

A wrong one waits before it is refused. While four wait none is looked at, right or
wrong: else whoever keeps four waiting could try the others at any speed. That an
attacker so keeps the operator out costs little: `lectr-lab keys` asks nobody.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable, Mapping

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.errors import ConfigError

SECRET_VARIABLE = "LECTR_ADMIN_SECRET"
LEAST_CHARS = 16
_WRONG_WAITS_S = 0.5
_MOST_WAITING = 4  # so eight guesses a second, from however many connections


class AdminSecret:
    """The secret, held as its digest.

    Args:
        secret: what is to be sent, `Authorization: Bearer <secret>`.
        wrong_waits_s: how long a wrong one waits.
    """

    def __init__(self, secret: str, *, wrong_waits_s: float = _WRONG_WAITS_S) -> None:
        self._digest = _digest(secret.encode())
        self._wrong_waits_s = wrong_waits_s
        self._waiting = 0
        self.refused = 0

    async def refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> Refusal | None:
        """Why a request is not the operator's; None: it is."""
        if self._waiting >= _MOST_WAITING:
            self.refused += 1
            return error_responses.TOO_MANY_ADMIN_CALLS
        if self._is_in(headers):
            return None
        self.refused += 1
        self._waiting += 1
        try:
            await asyncio.sleep(self._wrong_waits_s)
        finally:
            self._waiting -= 1
        return error_responses.INVALID_ADMIN_SECRET

    def _is_in(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """The time it takes says nothing of the secret."""
        given = next((v for name, v in headers if name == b"authorization"), b"")
        scheme, _, secret = given.partition(b" ")
        same = hmac.compare_digest(_digest(secret.strip()), self._digest)
        return same and scheme.lower() == b"bearer"


def read_admin_secret(environ: Mapping[str, str]) -> AdminSecret | None:
    """The secret, where LECTR_ADMIN_SECRET holds one.

    Raises:
        ConfigError: it is so short that it can be guessed.

    >>> read_admin_secret({})
    """
    secret = environ.get(SECRET_VARIABLE, "").strip()
    if secret and len(secret) < LEAST_CHARS:
        raise ConfigError(
            f"{SECRET_VARIABLE} has fewer than {LEAST_CHARS} characters: it can be guessed.\n"
            "Unset it, or make one that cannot:\n\n"
            f"  export {SECRET_VARIABLE}=$(openssl rand -hex 16)"
        )
    return AdminSecret(secret) if secret else None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()

"""Is this X-Lectr-Key ours? Entries know their keys by digests alone.

A key is 192 random bits, so one fast keyed hash is enough: there is no word list to try
against it. The salt is the folder's own, so equal keys in two folders do not look alike.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

PREFIX = "lc_key_"
_KEY = re.compile(r"lc_key_[A-Za-z0-9_-]{1,200}")
# No i, l, o, u: what is read aloud or copied by hand stays the same.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MIN_RANDOM_BYTES = 20


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key. Nothing here opens anything."""

    key_id: str
    org: str
    digest: str
    created_at: datetime
    feature: str | None = None
    disabled_at: datetime | None = None


class KeyTable:
    """The keys of one lab folder."""

    def __init__(self, entries: Iterable[KeyEntry], salt: bytes) -> None:
        self._salt = salt
        self._entries = {entry.digest: entry for entry in entries}
        # Of keys that were found, so no more than there are entries.
        self._found: dict[str, KeyEntry] = {}

    def find(self, key: str) -> KeyEntry | None:
        """The entry of a key, disabled or not; None where it is not ours.

        What is looked up is a salted digest, so the time it takes says nothing about
        any key; `compare_digest` has the last word. A key that was found is known by
        itself from then on: who sends it has it.

        >>> KeyTable([], b"").find("lc_key_abc")
        """
        again = self._found.get(key)
        if again is not None or not self._entries or not looks_like_key(key):
            return again
        found = digest(key, self._salt)
        entry = self._entries.get(found)
        if entry is None or not hmac.compare_digest(entry.digest, found):
            return None
        self._found[key] = entry
        return entry


def new_key(random: bytes) -> str:
    """A key made of random bytes.

    Args:
        random: at least 20 bytes (160 bits) from `secrets`.

    Returns:
        `lc_key_` and five bits a character, without look-alikes.

    Raises:
        ValueError: fewer than 20 bytes.

    >>> new_key(bytes(range(20)))
    'lc_key_000g40r40m30e209185gr38e1w8124gk'
    """
    if len(random) < _MIN_RANDOM_BYTES:
        raise ValueError(
            f"a key needs {_MIN_RANDOM_BYTES} random bytes, got {len(random)}"
        )
    number = int.from_bytes(random)
    places = range((len(random) * 8 - 1) // 5 * 5, -1, -5)
    return PREFIX + "".join(_ALPHABET[number >> place & 31] for place in places)


def looks_like_key(text: str) -> bool:
    """It has a key's form, so it is worth hashing.

    >>> looks_like_key("lc_key_0a1b2c"), looks_like_key("sk-0a1b2c")
    (True, False)
    """
    return _KEY.fullmatch(text) is not None


def digest(key: str, salt: bytes) -> str:
    """What is kept of a key: 64 hexadecimal digits of keyed blake2b.

    Args:
        key: as sent.
        salt: 16 random bytes of the lab folder; up to 64 are allowed.

    >>> digest("lc_key_0a1b2c", b"salt")[:8]
    '5de8a704'
    """
    return hashlib.blake2b(key.encode(), key=salt, digest_size=32).hexdigest()

"""What may name a person goes on record under a keyed hash: the same one is the same
digits, and who has the log but not the secret can neither read nor guess it."""

import hashlib

HEX_DIGITS = 32


class KeyedHash:
    """Hashes under one secret. Its repr does not show it.

    Args:
        secret: any text; whoever has the same one gets the same hashes.

    >>> KeyedHash("a").of("alice") == KeyedHash("a").of("alice")
    True
    >>> KeyedHash("a").of("alice") == KeyedHash("b").of("alice")
    False
    """

    def __init__(self, secret: str) -> None:
        key = hashlib.blake2b(
            secret.encode("utf-8", "surrogatepass"), digest_size=32
        ).digest()
        self._keyed = hashlib.blake2b(key=key, digest_size=HEX_DIGITS // 2)

    def of(self, text: str) -> str:
        """32 hexadecimal digits.

        >>> len(KeyedHash("a").of("alice"))
        32
        """
        hashed = self._keyed.copy()
        hashed.update(text.encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    def __repr__(self) -> str:
        return "KeyedHash()"

"""Keys that work and do not show themselves: in a repr, in headers, in a traceback."""

import re
from typing import Self

_KEY = re.compile(r"lc_key_\S+")
_IN_TEXT = re.compile(r"lc_key_[A-Za-z0-9_-]+")
_MASKED = "lc_key_…"


class Key(str):
    """Text with a key in it, which works as such and is masked in a repr.

    HTTP clients ask a string for its bytes, and show them again where an exception holds
    a request: these bytes are masked as well. Whatever is written of it is whole, for a
    library may write a header so: `str`, a slice, JSON, a variable of the environment.

    >>> key = Key("lc_key_abc")
    >>> key, key.encode(), str(key), key == "lc_key_abc"
    ('lc_key_…', b'lc_key_...', 'lc_key_abc', True)
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, text[:])  # of one that is shy, too

    def __repr__(self) -> str:
        return repr(_KEY.sub(_MASKED, self[:]))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes, whole and masked when shown; plain ones for `os.environ`."""
        found = super().encode(encoding, errors)
        return found if errors == "surrogateescape" else _KeyBytes(found)


class ShyKey(Key):
    """A key that is masked where it is printed, too: to be looked at, not to be sent.

    >>> f"{ShyKey('lc_key_abc')}", ShyKey("lc_key_abc")[:]
    ('lc_key_…', 'lc_key_abc')
    """

    __slots__ = ()

    def __str__(self) -> str:
        return _KEY.sub(_MASKED, self[:])

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class _KeyBytes(bytes):
    """A key as it is sent; what is read from it is a `Key` again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(_KEY.sub("lc_key_...", super().decode("latin-1")).encode("latin-1"))

    __str__ = __repr__

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Key:
        return Key(super().decode(encoding, errors))


def without_keys(text: str) -> str:
    """A text in which every key of ours is masked.

    >>> without_keys("headers = {'X-Lectr-Key': 'lc_key_abc'}")
    "headers = {'X-Lectr-Key': 'lc_key_…'}"
    """
    return _IN_TEXT.sub(_MASKED, text)

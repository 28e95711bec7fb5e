"""Keys that work and do not show themselves: in a repr, in headers, in a traceback."""

import re
from typing import Self

_KEY = re.compile(r"lc_key_\S+")
_IN_TEXT = re.compile(r"lc_key_[A-Za-z0-9_-]+")
_MASKED = "lc_key_…"


class Key(str):
    """Text with a key in it, which works as such and shows itself masked.

    HTTP clients ask a string for its bytes, and show them again where an exception holds
    a request: these bytes are masked as well. What is written out for another program is
    whole: a slice, JSON, a variable of the environment.

    >>> key = Key("lc_key_abc")
    >>> key, f"{key}", key.encode(), key == "lc_key_abc"
    ('lc_key_…', 'lc_key_…', b'lc_key_...', True)
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, text[:])  # of a `Key` too, whose `str` is masked

    def __repr__(self) -> str:
        return repr(str(self))

    def __str__(self) -> str:
        return _KEY.sub(_MASKED, self[:])

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The bytes, whole and masked when shown; plain ones for `os.environ`."""
        found = super().encode(encoding, errors)
        return found if errors == "surrogateescape" else _KeyBytes(found)


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

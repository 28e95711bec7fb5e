"""Which names have series of their own: so many, and all others are `other`.

A client can call its feature what it likes, and a server of metrics keeps every name
that it ever saw.
"""

from collections.abc import Iterable
from typing import TypeAlias

from lectr_lab.core.printable import printable

LABELS = ("org", "feature", "provider", "model", "operation")
"""What a series is named by; the columns of the log."""

OTHER = "other"
MOST_SETS = 500
MOST_ERROR_TYPES = 50
_MOST_CHARS = 100

LabelSet: TypeAlias = tuple[str, ...]


class Names:
    """Names in the order in which they came, up to a bound; those that come later are
    `other`, for as long as the process lives.

    Args:
        most: so many have series of their own.
        width: how many labels a set has.

    >>> names = Names(most=1, width=1)
    >>> names.placed(("chat",)), names.placed(("search",)), names.placed(("chat",))
    (('chat',), ('other',), ('chat',))
    """

    def __init__(self, most: int, width: int) -> None:
        self._most, self._others = most, (OTHER,) * width
        self._own: set[LabelSet] = set()

    def placed(self, names: Iterable[str | None]) -> LabelSet:
        """The set that a request counts under."""
        own = tuple([label(name) for name in names])
        if own in self._own:
            return own
        if len(self._own) >= self._most:
            return self._others
        self._own.add(own)
        return own


def label(name: str | None) -> str:
    """A name as a label's value: of one line, and not without end.

    >>> label(None), label("a" * 101)[-2:]
    ('', 'a…')
    """
    text = printable(name or "").replace("\n", " ").replace("\t", " ")
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"

"""What an import did, in numbers and in sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lectr_lab.core import formatting

_NONE: Mapping[str, int] = MappingProxyType({})


class ImportReport(NamedTuple):
    """Calls read; of these added, put in the place of an older row, and known already.

    `left` is what was seen and not taken, `said` what was taken and has to be told of:
    how many by what they are. `unreadable` counts values that are not what their column
    is for.
    """

    read: int = 0
    added: int = 0
    replaced: int = 0
    known: int = 0
    left: Mapping[str, int] = _NONE
    said: Mapping[str, int] = _NONE
    unreadable: Mapping[str, int] = _NONE


class Tally:
    """Counts what an import meets on its way."""

    def __init__(self) -> None:
        self.read = 0
        self.left: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()

    def report(self, *, added: int, replaced: int, known: int) -> ImportReport:
        """The whole of it."""
        counts = (dict(self.left), dict(self.said), dict(self.unreadable))
        return ImportReport(self.read, added, replaced, known, *counts)


def sentences(report: ImportReport) -> Iterator[str]:
    """What else there is to say of an import, most first.

    >>> told = ImportReport(9, 5, 1, 2, {"rows without a time": 1}, {}, {"input_tokens": 3})
    >>> for sentence in sentences(told):
    ...     print(sentence)
    1 was there in another form, and is replaced.
    2 were there already.
    Left out (1): rows without a time.
    Not readable, and left empty: 3 input_tokens.
    """
    if n := report.replaced:
        forms = (
            "was there in another form, and is",
            "were there in another form, and are",
        )
        yield f"{formatting.count(n)} {forms[n > 1]} replaced."
    if n := report.known:
        yield f"{formatting.count(n)} {'were' if n > 1 else 'was'} there already."
    for reason, n in _most_first(report.left):
        yield f"Left out ({formatting.count(n)}): {reason}."
    for what, n in _most_first(report.said):
        yield f"Noted ({formatting.count(n)}): {what}."
    if report.unreadable:
        found = _most_first(report.unreadable)
        columns = ", ".join(f"{formatting.count(n)} {column}" for column, n in found)
        yield f"Not readable, and left empty: {columns}."


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])

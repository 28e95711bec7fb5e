"""Puts marks in the places of secrets, in a body that came in chunks.

A place is a start and an end; what it is there for decides the mark. Chunks stay as
many: a cut inside a secret moves behind what stands for it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import blake2b
from itertools import accumulate
from typing import NamedTuple

from lectr_lab.core.headers import REDACTED

MARK = REDACTED.encode()


class Rank(IntEnum):
    """What kind of secret: where several overlap, the first of these counts.

    One that only looks like a secret gives way to any other.
    """

    NAME = 0
    VALUE = 1
    OWN = 2
    FORM = 3
    LOOK = 4

    @property
    def words(self) -> str:
        """As a person reads it, behind a count."""
        return _WORDS[self]


_WORDS = (
    "under the name of a secret",
    "keys of the calls, elsewhere",
    "of your own patterns",
    "of a public form",
    "that look like a secret",
)


class Finding(NamedTuple):
    """A place in a body, what kind of secret it holds, and what stands for it.

    Where a secret stands in pieces, the others have an empty mark. `value` is what was
    called a secret by a name: it may stand elsewhere as well.
    """

    start: int
    end: int
    rank: Rank
    mark: bytes
    value: bytes = b""


class Taken:
    """What was taken out: how many of each kind, and what was called a secret."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.values: set[bytes] = set()

    def count(self, kind: str, is_one: bool = True) -> None:
        """One more of a kind."""
        if is_one:
            self.counts[kind] += 1

    def add(self, findings: Iterable[Finding]) -> None:
        """Count them, and remember their values."""
        for one in findings:
            if one.mark:
                self.count(one.rank.words)
            if one.value:
                self.values.add(one.value)


def mark_of_its_length(word: bytes) -> bytes:
    """The same for the same word, and nothing that leads back to it.

    32 bits of a hash: a word that looks like a secret has over 90 bits of its own.

    >>> mark_of_its_length(b"k9X2mP4vQ8rT1wZ6yB3nL7")
    b'withheld-b8104c61-xxxx'
    """
    name = blake2b(word, digest_size=4, person=b"lectr-tape").hexdigest().encode()
    return (b"withheld-%s-" % name).ljust(len(word), b"x")[: len(word)]


def replaced(
    chunks: Sequence[bytes], findings: Iterable[Finding]
) -> tuple[tuple[bytes, ...], list[Finding]]:
    """The chunks with marks, and the findings as they were used: none overlaps another."""
    body, ends = b"".join(chunks), list(accumulate(map(len, chunks)))
    used = _merged(list(findings))
    if not used:
        return tuple(chunks), []
    parts, kept_from, shift = [], 0, 0
    shifts = []  # of what is behind each finding
    for start, end, _, mark, _ in used:
        parts += [body[kept_from:start], mark]
        kept_from = end
        shift += len(mark) - (end - start)
        shifts.append(shift)
    text = b"".join([*parts, body[kept_from:]])
    starts = [one.start for one in used]
    moved = []
    for cut in ends:
        before = bisect_right(starts, cut - 1) - 1
        inside = before >= 0
        moved.append(max(cut, used[before].end) + shifts[before] if inside else cut)
    begins = [0, *moved][: len(moved)]
    return tuple(text[a:b] for a, b in zip(begins, moved, strict=True)), used


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """In order, and none overlaps another."""
    sure: list[Finding] = []
    for one in sorted(one for one in findings if one.rank < Rank.LOOK):
        if not sure or one.start >= sure[-1].end:
            sure.append(one)
            continue
        last = sure.pop()
        best = min(last, one, key=lambda each: (not each.mark, each.rank))
        end = max(last.end, one.end)
        sure.append(best._replace(start=last.start, end=end))
    starts = [one.start for one in sure]
    found = list(sure)
    last_end = 0
    for one in sorted(one for one in findings if one.rank == Rank.LOOK):
        after = bisect_left(starts, one.end)
        if one.start < last_end or (after and sure[after - 1].end > one.start):
            continue
        last_end = one.end
        found.append(one)
    return sorted(found)

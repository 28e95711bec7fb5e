"""Texts within a body: what each says, and where in the body that stands.

A view has `data`, what it says, and `raw(start, end)`, the places in the body that say
this part of it, in order. A secret that a stream spells in pieces, or that JSON escapes,
is one piece of `data`, and several places or longer ones in the body.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol, TypeAlias

import msgspec

Span: TypeAlias = tuple[int, int]

_ATOM = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[0-9a-fA-F]{4}|\\.|[^\\]++|\\",
    re.DOTALL,
)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


class View(Protocol):
    """A text within a body."""

    data: bytes

    def raw(self, start: int, end: int) -> list[Span]:
        """Where in the body this part of `data` stands."""


class Whole:
    """The body itself.

    >>> Whole(b"body").raw(1, 2)
    [(1, 2)]
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    def raw(self, start: int, end: int) -> list[Span]:
        """The same place."""
        return [(start, end)]


class Slice:
    """A part of another view, as it stands there."""

    def __init__(self, parent: View, start: int, end: int) -> None:
        self.data = parent.data[start:end]
        self._parent, self._start = parent, start

    def raw(self, start: int, end: int) -> list[Span]:
        """The parent's place."""
        return self._parent.raw(start + self._start, end + self._start)


class Unescaped:
    """What a JSON string says; `start` and `end` are inside its quotes.

    >>> view = Unescaped(Whole(rb'"a\\u0062c"'), 1, 9)
    >>> view.data, view.raw(1, 2)
    (b'abc', [(2, 8)])
    """

    def __init__(self, parent: View, start: int, end: int) -> None:
        self._parent, self._span = parent, (start, end)
        self._atoms: tuple[list[int], list[int]] | None = None
        self.data = _said_by(parent.data[start:end])

    def raw(self, start: int, end: int) -> list[Span]:
        """Whole escapes: a part of one cannot be replaced."""
        first, last = self._at(start), self._behind(end)
        return self._parent.raw(first, last)

    def _at(self, position: int) -> int:
        plain_starts, starts = self._read()
        atom = bisect_right(plain_starts, position) - 1
        if (
            plain_starts[atom + 1] - plain_starts[atom]
            == starts[atom + 1] - starts[atom]
        ):
            return starts[atom] + position - plain_starts[atom]
        return starts[atom]

    def _behind(self, position: int) -> int:
        plain_starts, starts = self._read()
        atom = bisect_right(plain_starts, position - 1) - 1
        if (
            plain_starts[atom + 1] - plain_starts[atom]
            == starts[atom + 1] - starts[atom]
        ):
            return starts[atom] + position - plain_starts[atom]
        return starts[atom + 1]

    def _read(self) -> tuple[list[int], list[int]]:
        """Where each piece begins in what is said, and in the parent; only if asked."""
        if self._atoms is None:
            start, end = self._span
            atoms = list(_ATOM.finditer(self._parent.data, start, end))
            lengths = (len(_said(atom[0])) for atom in atoms)
            plain_starts = list(accumulate(lengths, initial=0))
            self._atoms = plain_starts, [*(atom.start() for atom in atoms), end]
        return self._atoms


class Joined:
    """What a stream says in pieces.

    >>> body = Whole(b"ab-cd")
    >>> view = Joined([Slice(body, 0, 2), Slice(body, 3, 5)])
    >>> view.data, view.raw(1, 3)
    (b'abcd', [(1, 2), (3, 4)])
    """

    def __init__(self, views: Sequence[View]) -> None:
        self.data = b"".join([view.data for view in views])
        self._views = views
        self._starts = list(accumulate((len(view.data) for view in views), initial=0))

    def raw(self, start: int, end: int) -> list[Span]:
        """A place in each piece that is touched."""
        found: list[Span] = []
        index = bisect_right(self._starts, start) - 1
        while index < len(self._views) and self._starts[index] < end:
            at, behind = self._starts[index], self._starts[index + 1]
            if max(start, at) < min(end, behind):
                part = max(start, at) - at, min(end, behind) - at
                found += self._views[index].raw(*part)
            index += 1
        return found


def string(parent: View, start: int, end: int) -> View:
    """What a JSON string says; `start` and `end` are inside its quotes."""
    if parent.data.find(b"\\", start, end) < 0:
        return Slice(parent, start, end)
    return Unescaped(parent, start, end)


def _said_by(text: bytes) -> bytes:
    try:
        return msgspec.json.decode(b'"%s"' % text, type=str).encode()
    except (msgspec.DecodeError, UnicodeError):  # no JSON: as near as one comes
        return b"".join(_pieces(text))


def _pieces(text: bytes) -> Iterator[bytes]:
    return (_said(atom[0]) for atom in _ATOM.finditer(text))


def _said(atom: bytes) -> bytes:
    if atom[:2] == b"\\u" and len(atom) >= 6:
        units = bytes.fromhex(atom.replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", "replace").encode()
    if atom[:1] == b"\\":
        return _ESCAPES.get(atom[1:], atom[1:])
    return atom

"""The public forms of secrets: `AKIA…`, `ghp_…`, and so on.

The forms are data, in secret_forms.toml, each with the source of it.
"""

import re
import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import msgspec

# A secret begins where a word does; in JSON or a URL, also behind an escape.
_BEHIND_ESCAPE = rb"(?<=\\[bfnrt]<>)|(?<=\\u[0-9A-Fa-f]{4}<>)|(?<=%[0-9A-Fa-f]{2}<>)"
_EDGE = rb"(?:(?<![\w-]<>)|" + _BEHIND_ESCAPE + rb")"
_EDGE_INSIDE_WORDS = rb"(?:(?<![A-Za-z0-9]<>)|" + _BEHIND_ESCAPE + rb")"


_MEDIA = re.compile(rb"base64,[A-Za-z0-9+/=]{100,}+")


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kind of secret looks like, and who says so."""

    whose: str
    starts: tuple[str, ...]
    rest: str  # a regular expression over bytes
    source: str
    inside_words: bool = False  # also behind `-` and `_`


@cache
def forms() -> tuple[Form, ...]:
    """All of them, in the order of the file."""
    text = files("lectr_lab.tape").joinpath("secret_forms.toml").read_text("utf-8")
    return tuple(msgspec.convert(table, Form) for table in tomllib.loads(text)["form"])


def form_spans(data: bytes, words: bytes | None = None) -> Iterator[tuple[int, int]]:
    """Where secrets of these forms stand, but for what media spell at random.

    Args:
        data: a text.
        words: its words of ten characters and more, one a line, where they are known:
            what begins in none of them is not looked for, which is three times as fast.

    >>> list(form_spans(b"the key is ghp_" + b"a" * 36))
    [(11, 51)]
    """
    found = {match[0] for match in _beginnings().finditer(words or data)}
    if not found:
        return
    media = [match.span() for match in _MEDIA.finditer(data)]
    starts = [start for start, _ in media]
    for beginning in sorted(found):
        for match in _forms_that_begin(beginning).finditer(data):
            before = bisect_right(starts, match.start()) - 1
            if before < 0 or match.start() >= media[before][1]:
                yield match.span()


@cache
def _forms_that_begin(beginning: bytes) -> re.Pattern[bytes]:
    """The forms that may stand where this is read: its own, and those it has in it."""
    patterns = [
        re.escape(start[:1].encode()) + _pattern(start.encode(), form)
        for form in forms()
        for start in form.starts
        if (text := _stripped(start)) in beginning or text.startswith(beginning)
    ]
    return re.compile(b"|".join(patterns))


@cache
def _beginnings() -> re.Pattern[bytes]:
    by_letter: dict[bytes, list[bytes]] = defaultdict(list)
    for start in sorted(
        {_stripped(start) for form in forms() for start in form.starts}
    ):
        rest = re.escape(start[1:]) + _edge(start, _EDGE_INSIDE_WORDS)
        by_letter[start[:1]].append(rest)
    return _branches(by_letter)


def _stripped(start: str) -> bytes:
    """As far as it stands in one word."""
    return start.encode().rstrip(b" =")


def _branches(by_letter: dict[bytes, list[bytes]]) -> re.Pattern[bytes]:
    """One branch for each first letter: twice as fast as one for each form."""
    branches = (
        re.escape(letter) + rb"(?:" + b"|".join(patterns) + rb")"
        for letter, patterns in by_letter.items()
    )
    return re.compile(b"|".join(branches))


def _pattern(start: bytes, form: Form) -> bytes:
    """All but the first letter. The edge is looked for once the beginning is there."""
    edge = _EDGE_INSIDE_WORDS if form.inside_words else _EDGE
    return re.escape(start[1:]) + _edge(start, edge) + form.rest.encode()


def _edge(start: bytes, edge: bytes) -> bytes:
    return edge.replace(b"<>", re.escape(start)) if start[:1].isalnum() else b""

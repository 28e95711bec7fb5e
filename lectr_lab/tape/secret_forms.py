"""The public forms of secrets, as one regular expression: `AKIA…`, `ghp_…`, and so on.

The forms are data, in secret_forms.toml, each with the source of it.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import msgspec

# A secret begins where a word does; in JSON or a URL, also behind an escape.
_BEHIND_ESCAPE = rb"(?<=\\[bfnrt]<>)|(?<=\\u[0-9A-Fa-f]{4}<>)|(?<=%[0-9A-Fa-f]{2}<>)"
_EDGE = rb"(?:(?<![\w-]<>)|" + _BEHIND_ESCAPE + rb")"
_EDGE_INSIDE_WORDS = rb"(?:(?<![A-Za-z0-9]<>)|" + _BEHIND_ESCAPE + rb")"


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


@cache
def known_forms() -> re.Pattern[bytes]:
    """Matches a secret of any of these forms.

    >>> known_forms().search(b"the key is ghp_" + b"a" * 36)[0][:6]
    b'ghp_aa'
    """
    by_letter: dict[bytes, list[bytes]] = defaultdict(list)
    for form in forms():
        for start in form.starts:
            by_letter[start[:1].encode()].append(_pattern(start.encode(), form))
    return _branches(by_letter)


def form_spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Where secrets of these forms stand, but for what media spell at random.

    >>> list(form_spans(b"the key is ghp_" + b"a" * 36))
    [(11, 51)]
    """
    for match in _forms_and_media().finditer(data):
        if match.lastgroup != "media":
            yield match.span()


@cache
def _forms_and_media() -> re.Pattern[bytes]:
    media = rb"(?P<media>base64,[A-Za-z0-9+/=]{100,}+)"
    return re.compile(media + b"|" + known_forms().pattern)


def may_begin(words: bytes) -> bool:
    """One of the forms may begin in these words of a text, one a line.

    >>> may_begin(b"documentation\\nghp_0123456789"), may_begin(b"documentation")
    (True, False)
    """
    return _beginnings().search(words) is not None


@cache
def _beginnings() -> re.Pattern[bytes]:
    """The longest beginning that is all letters, digits and the like."""
    found = {start.encode().rstrip(b" =") for form in forms() for start in form.starts}
    by_letter: dict[bytes, list[bytes]] = defaultdict(list)
    for start in sorted(found):
        rest = re.escape(start[1:]) + _edge(start, _EDGE_INSIDE_WORDS)
        by_letter[start[:1]].append(rest)
    return _branches(by_letter)


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

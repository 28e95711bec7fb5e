"""What is secret, and its replacement: keys by value, by form, by name and by look.

In a secret's place stands `[redacted]`; where a word only looks like one, a mark of its
own length that is the same wherever the word stands. The cost of all but a user's own
patterns is linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import RawHeaders
from lectr_lab.tape.bodies import texts_in
from lectr_lab.tape.json_texts import SHORTEST, Text
from lectr_lab.tape.replacing import (
    MARK,
    Finding,
    Rank,
    Taken,
    mark_of_its_length,
    replaced,
)
from lectr_lab.tape.secret_forms import form_spans
from lectr_lab.tape.secret_names import is_key_header, is_secret_of_call
from lectr_lab.tape.secret_words import is_no_word, secret_words
from lectr_lab.tape.text_secrets import named_secrets
from lectr_lab.tape.views import Span, View, Whole

_SHORTEST_KEY = 8  # a shorter one ("none", "EMPTY") is no secret, and is in any text
_LONG_WORD = re.compile(rb"[\w+/~.=-]{10,}+")
_SHORTEST_VALUE = 10  # of what is called a secret, to be looked for everywhere
_LONG = 200  # bytes, from which a known opaque value is not looked into
_REMEMBERED = 100  # bytes up to which a text is looked at once, however often it comes
_MASK = re.compile(  # what others put in a key's place is a word like any other
    rb"(?i)[<\[{*]*(?:redacted|filtered|scrubbed|masked|removed|dummy|placeholder|"
    rb"[x*]+|dummy[-_]?(?:api[-_]?)?key|test[-_]?(?:api[-_]?)?key)[>\]}*]*"
)
_PASSES = 3  # what is beside a mark may look otherwise than beside a secret
_OF_CALL = re.compile(rb"(?<=[?&])([^=&#]+)=([^&#]+)")


class Marks(NamedTuple):
    """What else must not be left of a call: values, and the user's patterns."""

    values: frozenset[bytes] = frozenset()
    own: tuple[re.Pattern[bytes], ...] = ()
    literals: tuple[re.Pattern[bytes], ...] = ()  # the values, as they are spelt


NO_MARKS = Marks()


def compiled(patterns: Iterable[str]) -> Marks:
    """A user's regular expressions, matched against bytes.

    Raises:
        CassetteError: one is not a regular expression; says which and why.
    """
    own = []
    for number, pattern in enumerate(patterns, 1):
        try:
            own.append(re.compile(pattern.encode()))
        except re.error as error:  # the pattern itself may be the secret
            raise CassetteError(
                f"Scrub pattern {number} is not a regular expression: {error.msg}."
            ) from None
    return Marks(own=tuple(own))


def marks_for(headers: RawHeaders, url: str, own: Marks = NO_MARKS) -> Marks:
    """What must not be left of a call: its own keys, and the user's patterns."""
    return with_values(own, keys_of(headers, url))


def keys_of(headers: RawHeaders, url: str) -> set[bytes]:
    """The keys that a call itself carries.

    >>> keys_of([(b"Authorization", b"Bearer hush")], "https://x/v1/models")
    {b'hush'}
    """
    keys = {_key(value) for name, value in headers if is_key_header(name)}
    for match in _of_call(url.encode()):
        keys |= {match[2], unquote(match[2].decode("latin-1")).encode()}
    return keys


def with_values(marks: Marks, values: Iterable[bytes]) -> Marks:
    """The same, and these values wherever they stand, however they are spelt."""
    more = {v for v in values if len(v) >= _SHORTEST_KEY and not is_mask(v)}
    more -= marks.values
    if not more:
        return marks
    spellings = {spelling for value in more for spelling in _spellings(value)}
    longest_first = sorted(spellings, key=lambda s: (-len(s), s))
    literal = re.compile(b"|".join(map(re.escape, longest_first)))
    return Marks(marks.values | more, marks.own, (*marks.literals, literal))


def is_mask(value: bytes) -> bool:
    """Nothing, or what somebody put in a secret's place: a word like any other.

    >>> is_mask(b"Bearer [redacted]"), is_mask(b"FILTERED"), is_mask(b"hush-1")
    (True, True, False)
    """
    return not value or _MASK.fullmatch(_key(value)) is not None


def clean(data: bytes, marks: Marks, taken: Taken | None = None) -> bytes:
    """The bytes with a mark in place of whatever is secret.

    >>> clean(b"Bearer sk-0123456789abcdef", NO_MARKS)
    b'Bearer [redacted]'
    """
    return clean_chunks((data,), marks, taken)[0]


def is_clean(data: bytes, marks: Marks) -> bool:
    """Cleaning it would change nothing."""
    return next(_findings(data, marks), None) is None


def clean_url(url: str, marks: Marks, taken: Taken | None = None) -> str:
    """The URL of a call without keys in its query or anywhere else.

    >>> clean_url("https://x/v1/models?key=hush&alt=sse", NO_MARKS)
    'https://x/v1/models?key=[redacted]&alt=sse'
    """
    data = url.encode()
    parameters = [
        Finding(*match.span(2), Rank.NAME, MARK)
        for match in _of_call(data)
        if match[2] != MARK
    ]
    found = [*parameters, *_of_text(Text(Whole(data), "plain"), marks)]
    return _counted((data,), found, taken)[0].decode()


def clean_value(value: bytes, marks: Marks, taken: Taken | None = None) -> bytes:
    """A header's value that is harmless but for what it quotes: it may look random."""
    found = _of_text(Text(Whole(value), "id"), marks)
    return _counted((value,), found, taken)[0]


def clean_chunks(
    chunks: Sequence[bytes], marks: Marks, taken: Taken | None = None
) -> tuple[bytes, ...]:
    """Cleaned as one text, so that a secret is found across a cut; then cut again."""
    cleaned = tuple(chunks)
    for _ in range(_PASSES):
        findings = list(_findings(b"".join(cleaned), marks))
        if not findings:
            break
        cleaned = _counted(cleaned, findings, taken)
    return cleaned


def _counted(
    chunks: Sequence[bytes], findings: Iterable[Finding], taken: Taken | None
) -> tuple[bytes, ...]:
    cleaned, used = replaced(chunks, findings)
    if taken is not None:
        taken.add(used)
    return cleaned


def _findings(body: bytes, marks: Marks) -> Iterator[Finding]:
    for pattern in marks.own:
        whole = Whole(body)
        for match in pattern.finditer(body):
            yield from _at(whole, match.span(), Rank.OWN)
    seen: set[tuple[str, bytes]] = set()
    for text in texts_in(body):
        key = text.kind, text.view.data
        if len(key[1]) <= _REMEMBERED and text.kind != "secret":
            if key in seen:
                continue
            found = list(_of_text(text, marks))
            if not found:
                seen.add(key)
            yield from found
        else:
            yield from _of_text(text, marks)


def _of_text(text: Text, marks: Marks) -> Iterator[Finding]:
    data, view = text.view.data, text.view
    if text.kind == "secret":
        yield from _at(view, (0, len(data)), Rank.NAME)
        return
    if len(data) < SHORTEST and not marks.own:
        return
    for rank, patterns in ((Rank.VALUE, marks.literals), (Rank.OWN, marks.own)):
        for pattern in patterns:
            for match in pattern.finditer(data):
                yield from _at(view, match.span(), rank)
    if text.kind == "opaque" and len(data) >= _LONG and b" " not in data:
        return
    for span in named_secrets(data):
        yield from _at(view, span, Rank.NAME)
    # A look at the long words alone is three times as fast.
    words = b"\n".join(_LONG_WORD.findall(data)) if len(data) > _LONG else data
    for span in form_spans(data, words):
        yield from _at(view, span, Rank.FORM)
    if text.kind == "plain" and next(secret_words(words), None):
        for span in secret_words(data):
            yield from _at(view, span, Rank.LOOK)


def _at(view: View, span: Span, rank: Rank) -> Iterator[Finding]:
    """A finding in a text, where it stands in the body: a mark in its first place."""
    start, end = span
    if start == end or _is_marked(view.data, start, end):
        return
    said, value = view.data[start:end], b""
    mark = mark_of_its_length(said) if rank == Rank.LOOK else MARK
    if rank == Rank.NAME:
        key = _key(said)
        value = key if is_no_word(key, _SHORTEST_VALUE) else b""
    for at, behind in view.raw(start, end):
        yield Finding(at, behind, rank, mark, value)
        mark = value = b""


def _is_marked(data: bytes, start: int, end: int) -> bool:
    """It is, or lies in, what already stands in a secret's place."""
    if end - start > len(MARK):
        return False
    at = data.find(MARK, max(0, end - len(MARK)), start + len(MARK))
    return at >= 0


def _of_call(url: bytes) -> Iterator[re.Match[bytes]]:
    return (m for m in _OF_CALL.finditer(url) if is_secret_of_call(m[1]))


def _key(value: bytes) -> bytes:
    """The key in a header's value, without a scheme such as Bearer."""
    return value.strip().rpartition(b" ")[2]


def _spellings(key: bytes) -> Iterator[bytes]:
    """A key as it is, in a URL, and in JSON by writers that escape slashes."""
    yield key
    yield quote(key, safe="").encode()
    yield quote_plus(key, safe="/").encode()
    yield key.replace(b"/", b"\\/")
    yield key.replace(b"\\", b"\\\\").replace(b'"', b'\\"')

"""What is secret, and its replacement: keys by value, by form and by the name they have.

A mark finds secrets in a text; each is replaced by `[redacted]`. The cost of all but a
user's own patterns is linear in the length of the text.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import TypeAlias
from urllib.parse import quote, quote_plus, unquote

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import REDACTED, RawHeaders
from lectr_lab.tape.json_secrets import Span, member_spans
from lectr_lab.tape.secret_forms import known_forms
from lectr_lab.tape.secret_names import (
    is_key_header,
    is_secret_field,
    is_secret_in_url,
    is_secret_of_call,
)

Mark: TypeAlias = Callable[[bytes], Iterable[Span]]
Marks: TypeAlias = tuple[Mark, ...]

_MARK = REDACTED.encode()
_SHORTEST_KEY = 8  # a shorter one ("none", "EMPTY") is no secret, and is in any text
_OF_CALL = re.compile(rb"(?<=[?&])([^=&#]+)=([^&#]+)")
# Each pattern begins with a literal: the search for it is fast.
# In a text a URL ends at a quote or a space; `&` may be written as JSON or HTML has it,
# and all of it as in another URL. A value that is a placeholder (`{token}`) is none.
_VALUE = rb"(?![{<$*\[])((?:[^\s?&#%\"'<>\\)\]}`,|]|%(?!26|3[Ff])|\\/)++)"
_IN_URL = tuple(
    re.compile(separator + rb"([\w.~-]{1,64}+)(?:=|%3[Dd])" + _VALUE)
    for separator in (rb"\?", rb"&(?:amp;)?", rb"\\u0026", rb"%(?:26|3[Ff])")
)
_FIRST_OF_FORM = re.compile(rb"\A([\w.~-]{1,64}+)=" + _VALUE)
_PASSWORD = re.compile(
    rb":(?:\\?/){2}[^\s/:@\"'<>\\]*+:((?![{<$*\[])[^\s/:@\"'<>\\]++)@"
)
_PART = re.compile(  # of a form with uploads; not the name of a file
    rb'name="(?<=[; ]name=")([\w.~-]{1,64}+)"\r\n'
    rb"(?:[\w-]++:[^\r\n]*+\r\n){0,8}+\r\n([^\r\n]++)"
)
# A header in a text, as in a command with curl. Prose has no digit in such a word.
_CREDENTIALS = rb" ++((?=[^\s\d]{0,100}+\d)[\w.~+/=%-]{16,}+)"
_BEARER = re.compile(rb"earer(?<=\b[Bb]earer)" + _CREDENTIALS)
_AUTHORIZATION = re.compile(
    rb"uthorization\\?[\"']?[:=] ?\\?[\"']?(?i:basic|token|apikey)" + _CREDENTIALS
)
# JSON within a prompt or an answer, as it is or escaped. An escaped string ends where a
# quote has as many backslashes as at its beginning; inside, quotes have more.
_MEMBER = re.compile(
    rb'"([\w.-]{1,64}+)\\*+"\s*+:\s*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)'
    rb'|(\\++)"((?:[^"\\]|\\++(?!")|\3\\++")*+))',
    re.DOTALL,
)


def compiled(patterns: Iterable[str]) -> Marks:
    """A user's regular expressions, matched against bytes.

    Raises:
        CassetteError: one is not a regular expression; says which and why.
    """
    marks = []
    for number, pattern in enumerate(patterns, 1):
        try:
            marks.append(_matches(re.compile(pattern.encode())))
        except re.error as error:  # the pattern itself may be the secret
            raise CassetteError(
                f"Scrub pattern {number} is not a regular expression: {error.msg}."
            ) from None
    return tuple(marks)


def marks_for(headers: RawHeaders, url: str, own: Marks = ()) -> Marks:
    """What must not be left of a call: its own keys, others' by form or name, the user's."""
    keys = {_key(value) for name, value in headers if is_key_header(name)}
    for match in _of_call(url.encode()):
        keys |= {match[2], unquote(match[2].decode("latin-1")).encode()}
    spellings = {
        s for key in keys if len(key) >= _SHORTEST_KEY for s in _spellings(key)
    }
    longest_first = sorted(spellings, key=lambda s: (-len(s), s))
    literal = b"|".join(map(re.escape, longest_first))
    by_value = (_matches(re.compile(literal)),) if literal else ()
    # By name first: a value goes whole, whatever a part of it looks like.
    return (*_BY_NAME, *by_value, _matches(known_forms()), *own)


def clean(data: bytes, marks: Marks) -> bytes:
    """The bytes with a mark in place of whatever is secret.

    >>> clean(b"Bearer sk-0123456789abcdef", marks_for([], ""))
    b'Bearer [redacted]'
    """
    return clean_chunks((data,), marks)[0]


def is_clean(data: bytes, marks: Marks) -> bool:
    """Cleaning it would change nothing."""
    return not any(_secrets(mark, data) for mark in marks)


def clean_url(url: str, marks: Marks) -> str:
    """The URL of a call without keys in its query or anywhere else.

    >>> clean_url("https://x/v1/models?key=hush&alt=sse", ())
    'https://x/v1/models?key=[redacted]&alt=sse'
    """
    return clean(url.encode(), (_parameters_of_call, *marks)).decode()


def clean_chunks(chunks: Sequence[bytes], marks: Marks) -> tuple[bytes, ...]:
    """Cleaned as one text, so that a secret is found across a cut; then cut again."""
    body, ends = b"".join(chunks), list(accumulate(map(len, chunks)))
    for mark in marks:
        if spans := _secrets(mark, body):
            body, ends = _replace(body, spans, ends)
    starts = [0, *ends][: len(ends)]
    return tuple(body[a:b] for a, b in zip(starts, ends, strict=True))


def _matches(pattern: re.Pattern[bytes]) -> Mark:
    return lambda body: (match.span() for match in pattern.finditer(body))


def _named(
    pattern: re.Pattern[bytes], is_secret: Callable[[bytes, bytes], bool], body: bytes
) -> Iterator[Span]:
    """The last group of each match, where the first is a name that secrets have."""
    for match in pattern.finditer(body):
        value = match.lastindex or 0
        if is_secret(match[1], match[value]):
            yield match.span(value)


def _is_field(name: bytes, value: bytes) -> bool:
    return is_secret_field(name)


def _is_part(name: bytes, value: bytes) -> bool:
    return name.lower() == b"token" or is_secret_field(name)


def _first_group(pattern: re.Pattern[bytes], body: bytes) -> Iterator[Span]:
    return (match.span(1) for match in pattern.finditer(body))


def _of_call(url: bytes) -> Iterator[re.Match[bytes]]:
    return (m for m in _OF_CALL.finditer(url) if is_secret_of_call(m[1]))


def _parameters_of_call(url: bytes) -> Iterator[Span]:
    return (match.span(2) for match in _of_call(url))


_BY_NAME: Marks = (
    member_spans,
    partial(_named, _MEMBER, _is_field),
    *(partial(_named, pattern, is_secret_in_url) for pattern in _IN_URL),
    partial(_named, _FIRST_OF_FORM, is_secret_in_url),
    partial(_named, _PART, _is_part),
    partial(_first_group, _PASSWORD),
    partial(_first_group, _BEARER),
    partial(_first_group, _AUTHORIZATION),
)


def _secrets(mark: Mark, body: bytes) -> list[Span]:
    """Where a mark finds something, but for what already stands in a secret's place.

    In order, and none overlaps another.
    """
    spans = sorted(span for span in mark(body) if span[0] < span[1])
    if not spans:
        return []
    done = [match.span() for match in re.finditer(re.escape(_MARK), body)]
    starts = [start for start, _ in done]
    found: list[Span] = []
    for start, end in spans:
        before = bisect_right(starts, start) - 1
        if before >= 0 and end <= done[before][1]:
            continue
        if found and start < found[-1][1]:
            first, last = found.pop()
            start, end = first, max(end, last)
        found.append((start, end))
    return found


def _replace(
    body: bytes, spans: list[Span], ends: list[int]
) -> tuple[bytes, list[int]]:
    """A cut inside a secret moves behind what stands for it."""
    parts, kept_from, shift = [], 0, 0
    shifts = []  # of what is behind each span
    for start, end in spans:
        parts += [body[kept_from:start], _MARK]
        kept_from = end
        shift += len(_MARK) - (end - start)
        shifts.append(shift)
    starts = [start for start, _ in spans]
    moved = []
    for cut in ends:
        before = bisect_right(starts, cut - 1) - 1
        inside = before >= 0
        moved.append(max(cut, spans[before][1]) + shifts[before] if inside else cut)
    return b"".join([*parts, body[kept_from:]]), moved


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

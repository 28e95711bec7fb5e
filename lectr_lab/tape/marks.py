"""What is secret, and its replacement: keys by value and by form, and a user's patterns.

A mark is a regular expression over bytes; what matches is replaced by `[redacted]`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias
from urllib.parse import quote, quote_plus

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import REDACTED, RawHeaders

Marks: TypeAlias = tuple[re.Pattern[bytes], ...]

_KEY_HEADERS = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"x-lectr-key",
    }
)
_SHORTEST_KEY = 8  # a shorter one ("none", "EMPTY") is no secret, and is in any text
# A key begins where a word does; in JSON or a URL, also behind an escape. The prefix
# stands first in the expression, so that the search is one for a literal.
_EDGE = (
    rb"<>(?:(?<![A-Za-z0-9]<>)|(?<=\\[bfnrt]<>)"
    rb"|(?<=\\u[0-9A-Fa-f]{4}<>)|(?<=%[0-9A-Fa-f]{2}<>))"
)
_KNOWN: Marks = tuple(
    re.compile(_EDGE.replace(b"<>", prefix) + rest)
    for prefix, rest in (
        (rb"sk-", rb"[A-Za-z0-9_*-]{8,}"),  # OpenAI, Anthropic; quoted with stars too
        (rb"gsk_", rb"[A-Za-z0-9]{8,}"),  # Groq
        (rb"AIza", rb"[A-Za-z0-9_-]{20,}"),  # Google
        (rb"lc_key_", rb"[A-Za-z0-9_-]+"),  # ours
        (rb"org-", rb"[A-Za-z0-9]{16,}"),  # OpenAI's accounts
        (rb"proj_", rb"[A-Za-z0-9]{16,}"),
        (rb"eyJ", rb"[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # Entra's tokens
    )
)
_IN_QUERY = re.compile(
    rb"(?<=[?&])((?:api[-_]?)?key|(?:access_|id_)?token|sig|signature|password)=[^&#]+",
    re.IGNORECASE,
)


def compiled(patterns: Iterable[str]) -> Marks:
    """A user's regular expressions, matched against bytes.

    Raises:
        CassetteError: one is not a regular expression; says which and why.
    """
    marks = []
    for number, pattern in enumerate(patterns, 1):
        try:
            marks.append(re.compile(pattern.encode()))
        except re.error as error:  # the pattern itself may be the secret
            raise CassetteError(
                f"Scrub pattern {number} is not a regular expression: {error.msg}."
            ) from None
    return tuple(marks)


def marks_for(headers: RawHeaders, url: str, own: Marks = ()) -> Marks:
    """What must not be left of a call: its own keys, known forms of keys, the user's."""
    keys = {_key(value) for name, value in headers if name.lower() in _KEY_HEADERS}
    keys |= {match[0].partition(b"=")[2] for match in _IN_QUERY.finditer(url.encode())}
    spellings = {
        s for key in keys if len(key) >= _SHORTEST_KEY for s in _spellings(key)
    }
    longest_first = sorted(spellings, key=lambda s: (-len(s), s))
    literal = (
        [re.compile(b"|".join(map(re.escape, longest_first)))] if spellings else []
    )
    return (*literal, *_KNOWN, *own)


def clean(data: bytes, marks: Marks) -> bytes:
    """The bytes with a mark in place of whatever matches.

    >>> clean(b"Bearer sk-0123456789abcdef", marks_for([], ""))
    b'Bearer [redacted]'
    """
    return b"".join(clean_chunks((data,), marks))


def clean_url(url: str, marks: Marks) -> str:
    """A URL without keys in its query or anywhere else."""
    queried = _IN_QUERY.sub(rb"\1=" + REDACTED.encode(), url.encode())
    return clean(queried, marks).decode()


def clean_chunks(chunks: Sequence[bytes], marks: Marks) -> tuple[bytes, ...]:
    """Cleaned as one text, so that a secret is found across a cut; then cut again."""
    body, ends = b"".join(chunks), list(accumulate(map(len, chunks)))
    for mark in marks:
        if spans := _secrets(mark, body):
            body, ends = _replace(body, spans, ends)
    starts = [0, *ends][: len(ends)]
    return tuple(body[a:b] for a, b in zip(starts, ends, strict=True))


def _secrets(mark: re.Pattern[bytes], body: bytes) -> list[tuple[int, int]]:
    """Where a mark matches, but for what already stands in a secret's place."""
    spans = [m.span() for m in mark.finditer(body) if m.end() > m.start()]
    if not spans:
        return []
    done = [m.span() for m in re.finditer(re.escape(REDACTED.encode()), body)]
    return [
        (start, end)
        for start, end in spans
        if not any(a <= start and end <= b for a, b in done)
    ]


def _replace(
    body: bytes, spans: list[tuple[int, int]], ends: list[int]
) -> tuple[bytes, list[int]]:
    redacted = REDACTED.encode()
    parts, kept_from = [], 0
    for start, end in spans:
        parts += [body[kept_from:start], redacted]
        kept_from = end
    moved = []
    for cut in ends:  # a cut inside a secret moves behind what stands for it
        before = [(start, end) for start, end in spans if start < cut]
        shift = sum(len(redacted) - (end - start) for start, end in before)
        moved.append(max([cut, *(end for _, end in before)]) + shift)
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

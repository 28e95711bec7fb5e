"""Words that look like a secret: where they stand under a name, and anywhere.

Four questions, the strictest last: is it no word of a language or a program
(`is_no_word`), and no date or path either (`is_likely`), is it as good as random
(`looks_random`), and is it no id, hash or file (`secret_words`). What this cannot know: a secret of letters alone, of digits
alone, in hexadecimal, shorter than 20 characters or longer than 200.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from operator import ne

from lectr_lab.tape.known_values import is_harmless, kind_of_member
from lectr_lab.tape.views import Span

_SHORTEST, _LONGEST = 20, 200
_WORD = re.compile(rb"(?<![A-Za-z0-9_+/~-])[A-Za-z0-9_+/~-]{20,}+={0,2}+")
_MARKED = re.compile(rb"withheld-[0-9a-f]{8}-?x*")
_DIGITS, _LOWER, _UPPER = b"0123456789", bytes(range(97, 123)), bytes(range(65, 91))
_ALL = bytes(range(256))
_CLASSES = bytes.maketrans(_DIGITS + _LOWER + _UPPER, b"0" * 10 + b"a" * 26 + b"A" * 26)
_NOT_ALNUM = bytes(set(_ALL) - set(_DIGITS + _LOWER + _UPPER))
_LONG_WORD = re.compile(rb"[a-z]{4,}+|[A-Z][a-z]{3,}+|[A-Z]{5,}+")
_ODD_PART = re.compile(  # ten and more between dashes, and no word with a number
    rb"(?<![A-Za-z0-9])(?![A-Za-z][a-z]*+\d*+(?![A-Za-z0-9]))[A-Za-z0-9]{10,}+"
)
_HUMP = re.compile(rb"[A-Z]?[a-z]{2,}+")  # of a camel
_PREFIX = re.compile(rb"(?:[A-Za-z]{2,12}[_-]){1,3}+")
_OF_WORDS = _DIGITS + _LOWER + _UPPER + b"_+/=.~-"
_LIKE_A_WORD = re.compile(rb"[A-Z]?[a-z]{3,}+|[A-Z]{4,}+")
_PLACEHOLDER = re.compile(
    rb"(?i)your|example|placeholder|changeme|dummy|redacted|insert|\*\*\*|xxxx|\.\.\.|\xe2\x80\xa6"
)
_NAMED = re.compile(rb"([\w.-]{1,64})\\*[\"'`]?\s{0,4}[:=]\s{0,4}\\*[\"'`]?\Z")
_MEDIA = re.compile(rb"base64,\Z")
_OF_CODE_BEFORE, _OF_CODE_BEHIND = (
    frozenset(bytes((byte,)) for byte in text) for text in (b"{}|^!$)]*.", b"{}|^$(*[@")
)
_VERSION = re.compile(rb"v?\d+(?:\.\d+)+(?:[-+][\w.-]+)?")
_BEFORE = 80  # bytes that are looked at for what a word is called


def is_no_word(value: bytes, shortest: int) -> bool:
    """One word of letters and digits, not an identifier and no placeholder.

    >>> is_no_word(b"hunter2-9f8a7", 8), is_no_word(b"get_token2", 8)
    (True, False)
    """
    if not shortest <= len(value) <= 4096 or len(value.split()) != 1:
        return False
    has_digits = value.translate(None, _DIGITS) != value
    if not has_digits or value.isdigit() or _PLACEHOLDER.search(value):
        return False
    if _VERSION.fullmatch(value):
        return False
    return not is_identifier(value) and b"://" not in value


def is_likely(value: bytes) -> bool:
    """What is called a key or a token, which many things are, and looks like a secret.

    >>> is_likely(b"5f4dcc3b5aa765d61d8327deb882cf99"), is_likely(b"users/2024-05-01")
    (True, False)
    """
    alnum = value.translate(None, _NOT_ALNUM)
    words = sum(map(len, _LIKE_A_WORD.findall(value)))
    return (
        is_no_word(value, 16)
        and value.translate(None, _OF_WORDS) == b""
        and len(value) - len(alnum) <= 2 + len(value) // 10
        and _changes(alnum) >= 0.2
        and 2 * words <= len(value)
        and (value.isalnum() or not is_harmless(value))
    )


def is_identifier(value: bytes) -> bool:
    """A name in a program, a path or a version: words, with a few digits at most.

    >>> is_identifier(b"os.environ2"), is_identifier(b"k9X2mP4vQ8rT")
    (True, False)
    """
    digits = len(value) - len(value.translate(None, _DIGITS))
    words = sum(map(len, _LIKE_A_WORD.findall(value)))
    return digits <= 2 and 2 * words >= len(value) - digits


def looks_random(word: bytes) -> bool:
    """Letters and digits as dice would mix them: 20 to 200 of them.

    Lower case, upper case and digits change often, and little reads like words; of one
    case and digits it takes 24, in one piece.

    >>> looks_random(b"k9X2mP4vQ8rT1wZ6yB3n"), looks_random(b"getElementsByClassName2")
    (True, False)
    """
    alnum = word.translate(None, _NOT_ALNUM)
    count = len(alnum)
    if not _SHORTEST <= count <= _LONGEST or len(word) - count > 2 + count // 10:
        return False
    digits = count - len(alnum.translate(None, _DIGITS))
    lower = count - len(alnum.translate(None, _LOWER))
    upper = count - digits - lower
    if len(set(alnum)) < min(count // 2, 14):
        return False
    changes = _changes(alnum)
    if not lower or not upper:
        is_one_piece = len(word) - count <= 1 and count >= 24
        return is_one_piece and changes >= 0.16 and 0 < digits <= 0.6 * count
    humps = sum(map(len, _HUMP.findall(word))) / count
    words = sum(map(len, _LONG_WORD.findall(word))) / count
    if not digits and (words > 0.25 or changes < 0.4):
        return False
    few = 0.55 if len(word) - count < 2 or _ODD_PART.search(word) else 0.4
    return min(lower, upper) > 1 and changes >= 0.27 and humps < 0.7 and words <= few


def _changes(alnum: bytes) -> float:
    """How often a character is of another class than the one before it, of 1."""
    classes = alnum.translate(_CLASSES)
    return sum(map(ne, classes, classes[1:])) / max(1, len(alnum))


def secret_words(data: bytes) -> Iterator[Span]:
    """Where in a text something looks like a secret.

    >>> text = b"use k9X2mP4vQ8rT1wZ6yB3n for 0a1b2c3d4e5f60718293"
    >>> [text[start:end] for start, end in secret_words(text)]
    [b'k9X2mP4vQ8rT1wZ6yB3n']
    """
    for match in _WORD.finditer(data):
        start, end = match.span()
        if end - start > _LONGEST or _MEDIA.search(data, max(0, start - 7), start):
            continue  # media, or the like
        start += _escape_before(data, start)
        yield from _secret_in(data, start, end)


def _secret_in(data: bytes, start: int, end: int) -> Iterator[Span]:
    word = data[start:end]
    if is_harmless(word):
        return
    if (b"/" not in word or _is_base64(word)) and _is_secret(data, start, word):
        yield start, end
    elif b"/" in word:  # of a path or a URL
        at = start
        for part in word.split(b"/"):
            if _is_secret(data, at, part):
                yield at, at + len(part)
            at += len(part) + 1


def _is_secret(data: bytes, start: int, word: bytes) -> bool:
    if len(word) < _SHORTEST or not _is_random_behind_a_prefix(word):
        return False
    if _MARKED.fullmatch(word) or is_harmless(word.strip(b"_-=~")) or _is_text(word):
        return False
    before = data[max(0, start - _BEFORE) : start]
    behind = data[start + len(word) : start + len(word) + 1]
    if before[-1:] in _OF_CODE_BEFORE or behind in _OF_CODE_BEHIND:
        return False
    named = _NAMED.search(before)
    return not named or kind_of_member(named[1]) == "plain"


def _is_random_behind_a_prefix(word: bytes) -> bool:
    """Many vendors put their name and what a key is for before it: `acme_live_…`."""
    prefix = _PREFIX.match(word)
    return looks_random(word) or bool(prefix and looks_random(word[prefix.end() :]))


def _is_base64(word: bytes) -> bool:
    """A slash may be of base64: as in the secret half of Amazon's access keys."""
    return len(word) % 4 == 0 and word[:1] != b"/" and not set(b"-_~") & set(word)


def _escape_before(data: bytes, start: int) -> int:
    """How many characters at a word's start belong to an escape: `\\n`, `%2F`."""
    before = data[start - 1 : start] if start else b""
    if before == b"\\":
        return 5 if data[start : start + 1] == b"u" else 1
    return 2 if before == b"%" else 0


def _is_text(word: bytes) -> bool:
    """Base64 of what can be read."""
    padded = word.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    padded = padded[: len(padded) // 4 * 4]
    try:
        said = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return False
    try:
        return said.decode().replace("\n", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False

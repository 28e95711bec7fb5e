"""Secrets in a text, by what stands before them: a name, a scheme, a URL.

Each pattern begins with a literal, so that the search for it is fast, and is linear in
the length of the text.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial

from lectr_lab.tape.secret_names import (
    is_secret_field,
    is_secret_in_url,
    may_be_secret_field,
)
from lectr_lab.tape.secret_words import is_likely, is_no_word
from lectr_lab.tape.views import Span

# In a text a URL ends at a quote or a space; `&` may be written as JSON or HTML has it,
# and all of it as in another URL. A value that is a placeholder (`{token}`) is none.
_VALUE = rb"(?![{<$*\[])((?:[^\s?&#%\"'<>\\)\]}`,|]|%(?!26|3[Ff])|\\/)++)"
_IN_URL = tuple(
    re.compile(separator + rb"([\w.~-]{1,64}+)(?:=|%3[Dd])" + _VALUE)
    for separator in (rb"\?", rb"&(?:amp;)?", rb"\\u0026", rb"%(?:26|3[Ff])", rb"#")
)
_FIRST_OF_FORM = re.compile(rb"\A([\w.~-]{1,64}+)=" + _VALUE + rb"(?=&|\Z)")
_PASSWORD = re.compile(
    rb":(?:\\?/){2}[^\s/:@\"'<>\\]*+:((?![{<$*\[])[^\s/:@\"'<>\\]++)@"
)
_USER = re.compile(rb":(?:\\?/){2}((?=[^\s/:@\"'<>\\]{0,60}\d)[\w.~%+-]{16,}+)@")
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
# `NAME=value`, `name: value`, `the password is value`, `--name value`.
_ASSIGNED = tuple(
    re.compile(
        before + rb"[ \t]{0,3}\\*[\"'`]?"
        rb"(?=[^\s\"'`,;()<>{}\\\d]{0,100}+\d)([^\s\"'`,;()<>{}\[\]\\&|]{8,400}+)"
    )
    for before in (rb"[:=]>?", rb" is", rb"--[\w-]{1,40}+(?= )")
)
_NAME_BEFORE = re.compile(
    rb"((?:\b(?i:api|access|private|secret) )?[\w.-]{1,64}+)\\*[\"'`]?\]?[ \t]{0,3}\Z"
)
_FLAG = re.compile(rb"--([\w-]+) ")
_BEFORE = 80  # bytes in which the name of a value is looked for


def named_secrets(data: bytes) -> Iterator[Span]:
    """Where in a text something stands that is called a secret.

    >>> text = b"https://x.test/f?sig=hush-1 and DB_PASSWORD=hush-0123"
    >>> [text[start:end] for start, end in named_secrets(text)]
    [b'hush-1', b'hush-0123']
    """
    for find in _FINDERS:
        yield from find(data)


def _named(
    pattern: re.Pattern[bytes], is_secret: Callable[[bytes, bytes], bool], data: bytes
) -> Iterator[Span]:
    """The last group of each match, where the first is a name that secrets have."""
    for match in pattern.finditer(data):
        value = match.lastindex or 0
        if is_secret(match[1], match[value]):
            yield match.span(value)


def _is_field(name: bytes, value: bytes) -> bool:
    return is_secret_field(name) or (may_be_secret_field(name) and is_likely(value))


def _is_part(name: bytes, value: bytes) -> bool:
    return name.lower() == b"token" or _is_field(name, value)


def _is_assigned(name: bytes, value: bytes) -> bool:
    if is_secret_field(name):
        return is_no_word(value, 8)
    return may_be_secret_field(name) and is_likely(value)


def _first_group(pattern: re.Pattern[bytes], data: bytes) -> Iterator[Span]:
    return (match.span(1) for match in pattern.finditer(data))


def _assigned(pattern: re.Pattern[bytes], data: bytes) -> Iterator[Span]:
    for match in pattern.finditer(data):
        start, end = match.span(1)
        end -= len(match[1]) - len(match[1].rstrip(b".:!?"))
        before = data[max(0, match.start() - _BEFORE) : match.start()]
        named = _FLAG.match(match[0]) or _NAME_BEFORE.search(before)
        is_called = data[match.end(1) : match.end(1) + 1] in (b"(", b"[")
        if named and not is_called and _is_assigned(named[1], data[start:end]):
            yield start, end


_FINDERS: tuple[Callable[[bytes], Iterator[Span]], ...] = (
    partial(_named, _MEMBER, _is_field),
    *(partial(_named, pattern, is_secret_in_url) for pattern in _IN_URL),
    partial(_named, _FIRST_OF_FORM, is_secret_in_url),
    partial(_named, _PART, _is_part),
    partial(_first_group, _PASSWORD),
    partial(_first_group, _USER),
    partial(_first_group, _BEARER),
    partial(_first_group, _AUTHORIZATION),
    *(partial(_assigned, pattern) for pattern in _ASSIGNED),
)

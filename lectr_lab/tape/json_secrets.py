"""Where in a JSON text secrets stand, by the names of its members.

A name alone does not tell: `token` is a secret in a tool's arguments, and a piece of the
answer beside `logprob`. So each object is judged whole, with its siblings. It works on
what is not quite JSON, too: a stream of events, lines of JSON, a text that breaks off.
The cost is linear in the length of the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from lectr_lab.tape.secret_names import is_secret_field

Span: TypeAlias = tuple[int, int]

# A string to its end or, where that is missing, to the end of the text; then whether it
# is a name. Possessive, so that no text makes it try twice.
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)(\s*+:)?|[{}]', re.DOTALL)
_BEGINS = re.compile(rb"(?:\s|\\[nrt])*+[\[{]")
_LINE = re.compile(rb"^(?:data:)?[ \t]*+(?=[\[{])[^\r\n]*+", re.MULTILINE)
_ATOM = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[0-9a-fA-F]{4}|\\.|[^\\]++|\\",
    re.DOTALL,
)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}
_OF_A_PIECE = frozenset((b"logprob", b"logprobs", b"top_logprobs", b"bytes", b"prob"))
_OF_MCP = frozenset((b"server_url", b"server_label", b"connector_id"))
_OF_A_CLIENT_SECRET = frozenset((b"expires_at", b"session"))
_DEEPEST = 1000  # what is deeper counts as in one object; no reader of JSON goes there
_SHORTEST_TOKEN = 8  # a shorter one is a word that somebody asked about


class _Object(NamedTuple):
    """An object that is being read. A list's strings count as under the list's name."""

    name: bytes  # what it stands under
    names: set[bytes]
    texts: list[tuple[bytes, Span]]


def member_spans(text: bytes) -> Iterator[Span]:
    """The values of secret members, in a JSON text or in the lines that are JSON.

    >>> text = b'{"tools": [{"type": "mcp", "authorization": "hush"}]}'
    >>> [text[start:end] for start, end in member_spans(text)]
    [b'hush']
    """
    if _BEGINS.match(text):
        yield from _in_document(text, 0, len(text))
        return
    for line in _LINE.finditer(text):
        yield from _in_document(text, *line.span())


def _in_document(text: bytes, start: int, end: int) -> Iterator[Span]:
    stack, name, deeper = [_Object(b"", set(), [])], b"", 0
    for token in _TOKEN.finditer(text, start, end):
        kind = text[token.start() : token.start() + 1]
        if kind == b"{" and len(stack) < _DEEPEST:
            stack.append(_Object(name, set(), []))
        elif kind == b"{":
            deeper += 1
        elif kind == b"}" and deeper:
            deeper -= 1
        elif kind == b"}" and len(stack) > 1:
            name = stack[-1].name
            yield from _closed(stack, text)
        elif token[2] is not None:
            name = token[1]
            stack[-1].names.add(name)
        elif kind == b'"':
            stack[-1].texts.append((name, token.span(1)))
            yield from _inside(text, *token.span(1))
    while stack:  # a text that breaks off
        yield from _closed(stack, text)


def _closed(stack: list[_Object], text: bytes) -> Iterator[Span]:
    """The secrets of the innermost object, which ends here."""
    done = stack.pop()
    yield from (span for name, span in done.texts if _is_secret(name, span, done, text))
    if done.name == b"headers" and stack:  # whose they are, its siblings will say
        own = (span for name, span in done.texts if name != b"headers")
        stack[-1].texts.extend((b"headers", span) for span in own)


def _is_secret(name: bytes, span: Span, its: _Object, text: bytes) -> bool:
    if name == b"headers":
        return not _OF_MCP.isdisjoint(its.names)
    if name.lower() == b"token":
        value = text[slice(*span)]
        is_word = len(value) < _SHORTEST_TOKEN or len(value.split()) != 1
        return not is_word and _OF_A_PIECE.isdisjoint(its.names)
    if its.name == b"authentication":
        return name in (b"key", b"key_id") or is_secret_field(name)
    if name == b"value":
        return its.name == b"client_secret" or its.names >= _OF_A_CLIENT_SECRET
    return is_secret_field(name)


def _inside(text: bytes, start: int, end: int) -> Iterator[Span]:
    """The same of JSON within a string, as the arguments of a tool call are."""
    if text.find(b'\\"', start, end) < 0 or not _BEGINS.match(text, start, end):
        return
    plain, plain_starts, starts = _unescaped(text, start, end)

    def at(position: int) -> int:
        atom = bisect_right(plain_starts, position) - 1
        return starts[atom] + position - plain_starts[atom]

    for first, last in member_spans(plain):
        yield at(first), at(last)


def _unescaped(text: bytes, start: int, end: int) -> tuple[bytes, list[int], list[int]]:
    """What a string says; where each of its pieces begins there, and in the text."""
    pieces, plain_starts, starts, length = [], [], [], 0
    for atom in _ATOM.finditer(text, start, end):
        piece = _said(atom[0])
        pieces.append(piece)
        plain_starts.append(length)
        starts.append(atom.start())
        length += len(piece)
    return b"".join(pieces), [*plain_starts, length], [*starts, end]


def _said(atom: bytes) -> bytes:
    if atom[:2] == b"\\u" and len(atom) >= 6:
        units = bytes.fromhex(atom.replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", "replace").encode()
    if atom[:1] == b"\\":
        return _ESCAPES.get(atom[1:], atom[1:])
    return atom

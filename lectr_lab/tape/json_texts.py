"""The strings of a JSON text, each with what may be looked for in it.

A name alone does not tell: `token` is a secret in a tool's arguments, and a piece of the
answer beside `logprob`. So each object is judged whole, with its siblings. It works on
what is not quite JSON, too: a text that breaks off. JSON within a string is read as well,
as the arguments of a tool call are. The cost is linear in the length of the text.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from lectr_lab.tape.known_values import Kind, kind_of_member
from lectr_lab.tape.secret_names import is_secret_field, may_be_secret_field
from lectr_lab.tape.secret_words import is_likely, is_no_word
from lectr_lab.tape.views import Span, View, string

# A string to its end or, where that is missing, to the end of the text; then whether it
# is a name, and of a small number. Possessive, so that no text makes it try twice.
_TOKEN = re.compile(
    rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)(?:(\s*+:)\s*+(?:(\d{1,6})(?![\d.]))?)?|[{}]',
    re.DOTALL,
)
_BEGINS = re.compile(rb"\s*+[\[{]")
_OF_A_PIECE = frozenset((b"logprob", b"logprobs", b"top_logprobs", b"bytes", b"prob"))
_OF_MCP = frozenset((b"server_url", b"server_label", b"connector_id"))
_OF_A_CLIENT_SECRET = frozenset((b"expires_at", b"session"))
_OF_A_SCHEMA = frozenset((b"type", b"description", b"$ref", b"anyOf", b"enum"))
_INDICES = frozenset((b"index", b"output_index", b"content_index", b"summary_index"))
_NAMES = (b"name", b"key", b"header", b"variable")
_ASK = frozenset((b"headers", b"token", b"value", b"key", b"key_id"))
_LONG_NAME = 100  # bytes: what is longer is a text
_DEEPEST = 200  # what is deeper counts as in one object; only traps go there
_SIBLINGS = 16  # that are asked for the name of a value
_NESTED = 8  # how often JSON stands within a string of JSON
SHORTEST = 8  # in bytes: no secret is shorter that is not known by its name
_OPEN, _CLOSE = b"{"[0], b"}"[0]

Path: TypeAlias = tuple[tuple[bytes, tuple[int, ...]], ...]


class Text(NamedTuple):
    """One string, or a stretch that is none. `kind` says what may be looked for."""

    view: View
    kind: Kind | Literal["secret"]
    name: bytes = b""
    its: "Object | None" = None

    @property
    def path(self) -> Path:
        """The same for the pieces of one text that a stream says in several events."""
        chain = (*self.its.outer, self.its) if self.its else ()
        return (*((one.name, tuple(one.indices)) for one in chain), (self.name, ()))


class _Name(NamedTuple):
    """What a name alone tells: of what kind its texts are, and if to ask for more."""

    kind: Kind
    asks: bool


_PLAIN = _Name("plain", False)


@lru_cache(maxsize=4096)
def _named(name: bytes) -> _Name:
    asks = name.lower() in _ASK or is_secret_field(name) or may_be_secret_field(name)
    return _Name(kind_of_member(name), asks)


class Object:
    """An object that is being read. A list's strings count as under the list's name."""

    __slots__ = ("indices", "name", "named", "names", "outer", "texts")

    def __init__(self, name: bytes, outer: "tuple[Object, ...]") -> None:
        self.name, self.outer = name, outer
        self.named = len(name) <= _LONG_NAME and _named(name).asks
        self.names: set[bytes] = set()
        self.indices: list[int] = []
        self.texts: list[tuple[bytes, Span]] = []


def begins_json(data: bytes) -> bool:
    """It may be a JSON object or list."""
    return _BEGINS.match(data) is not None


def texts_of(
    view: View,
    shortest: int = SHORTEST,
    nested: int = 0,
    seen: set[bytes] | None = None,
) -> Iterator[Text]:
    """The strings of a JSON text, and those of JSON within them.

    Args:
        view: the text.
        shortest: in bytes, of what is looked into; the secret ones come whatever.
        nested: how deep within strings it stands.
        seen: names that came before; one comes once.

    >>> from lectr_lab.tape.views import Whole
    >>> text = Whole(b'{"tools": [{"type": "mcp", "authorization": "hush"}]}')
    >>> [one.view.data for one in texts_of(text) if one.kind == "secret"]
    [b'hush']
    """
    for its, name, (start, end) in _strings(view, set() if seen is None else seen):
        if its is None:
            if end - start >= SHORTEST:
                yield Text(string(view, start, end), "plain")
            continue
        named = _named(name) if len(name) <= _LONG_NAME else _PLAIN
        if (named.asks or its.named) and _is_secret(view, its, name, (start, end)):
            yield Text(string(view, start, end), "secret", name, its)
        elif end - start >= shortest:
            text = Text(string(view, start, end), named.kind, name, its)
            yield text
            yield from within(text, nested)


def within(text: Text, nested: int = 0) -> Iterator[Text]:
    """The strings of the JSON that a string is, if it is."""
    data = text.view.data
    if nested < _NESTED and begins_json(data) and b'"' in data:
        yield from texts_of(text.view, SHORTEST, nested + 1)


def _strings(
    view: View, seen: set[bytes]
) -> Iterator[tuple[Object | None, bytes, Span]]:
    """Each string with its object, when that is read whole; names with None."""
    data, name, deeper = view.data, b"", 0
    stack = [Object(b"", ())]
    for token in _TOKEN.finditer(data):
        first = data[token.start()]
        if first == _OPEN:
            if len(stack) < _DEEPEST:
                stack.append(Object(name, (*stack[-1].outer, stack[-1])))
            else:
                deeper += 1
        elif first == _CLOSE:
            if deeper:
                deeper -= 1
            elif len(stack) > 1:
                name = stack[-1].name
                yield from _closed(stack)
        elif token[2] is not None:
            name = token[1]
            stack[-1].names.add(name)
            if token[3] is not None and name in _INDICES:
                stack[-1].indices.append(int(token[3]))
            if name not in seen:
                seen.add(name)
                yield None, name, token.span(1)
        else:
            stack[-1].texts.append((name, token.span(1)))
    while stack:  # a text that breaks off
        yield from _closed(stack)


def _closed(stack: list[Object]) -> Iterator[tuple[Object, bytes, Span]]:
    """The strings of the innermost object, which ends here."""
    done = stack.pop()
    for name, span in done.texts:
        yield done, name, span
        if done.name == b"headers" and name != b"headers" and stack:
            stack[-1].texts.append((b"headers", span))  # whose, its siblings will say


def _is_secret(view: View, its: Object, name: bytes, span: Span) -> bool:
    start, end = span
    if start == end:
        return False
    if name == b"headers":
        return not _OF_MCP.isdisjoint(its.names)
    if name.lower() == b"token":
        return _OF_A_PIECE.isdisjoint(its.names) and is_no_word(view.data[start:end], 8)
    if its.name == b"authentication" and name in (b"key", b"key_id"):
        return True
    if name == b"value":
        return _is_secret_value(view, its, span)
    if is_secret_field(name):
        return True
    if is_secret_field(its.name) and _OF_A_SCHEMA.isdisjoint(its.names):
        return is_no_word(view.data[start:end], SHORTEST)
    return may_be_secret_field(name) and is_likely(view.data[start:end])


def _is_secret_value(view: View, its: Object, span: Span) -> bool:
    """Of a client secret, or beside the name of a secret: `{"name": …, "value": …}`."""
    if its.name == b"client_secret" or its.names >= _OF_A_CLIENT_SECRET:
        return True
    siblings = its.texts[:_SIBLINGS]
    said = (view.data[slice(*at)] for name, at in siblings if name in _NAMES)
    return any(map(is_secret_field, said))

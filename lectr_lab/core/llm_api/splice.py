"""Another model in a request's body, every other byte as it was.

A body is not decoded and written anew: that would change escapes, numbers, spaces and
the order of keys, and with them what a provider caches. Instead each place that looks
like `"model": "…"` is tried, and the parser asked whether it is the one that counts.
"""

import re
from typing import Any, TypeAlias

import msgspec

_BOM = b"\xef\xbb\xbf"
# A closing quote behind `model` ends a JSON text, whatever stands before it; so this is
# found in keys, the body's own or one of an object inside it, and never inside a text.
_MODEL = re.compile(
    rb'"model"[ \t\r\n]*+:[ \t\r\n]*+("[^"\\]*+(?:\\.[^"\\]*+)*+")', re.DOTALL
)
_MOST_TRIED = 8
_MOST_TRIED_BYTES = 8 * 1024 * 1024  # each try reads the body once: all take 15 ms

Place: TypeAlias = tuple[int, int]
"""Where in a body its model is written, quotes included: from the first, to the second."""


class _Named(msgspec.Struct):
    model: Any = None


_NAMED = msgspec.json.Decoder(_Named)


def with_model(
    body: bytes, present: str, model: str, place: Place | None = None
) -> bytes | None:
    """The body with another value of its top-level `model`.

    Args:
        body: JSON as received, a byte order mark before it or not.
        present: what its `model` is, as `read_request` has it.
        model: the name to ask for instead.
        place: what `model_place` said of it, where it was asked before.

    Returns:
        The new body; None where the place cannot be found for sure: no JSON object of
        the standard, a key written with escapes, or more than eight such keys in
        objects before it (fewer in a body of more than 1 MB). Of a key given twice the
        last is replaced, which is the one that counts.

    >>> with_model(b'{"user":{"model":"a"}, "model" : "a"}', "a", "b")
    b'{"user":{"model":"a"}, "model" : "b"}'
    >>> with_model(b'{"messages": []}', "a", "b")
    """
    if model == present:
        return None
    place = place or model_place(body, present)
    return None if place is None else _spliced(body, place, model)


def model_place(body: bytes, present: str) -> Place | None:
    """Where the top-level `model` of a body is; None where that is not sure.

    >>> model_place(b'{"model": "a"}', "a")
    (10, 13)
    """
    other, tried_bytes = f"{present}?", 0
    for tried, found in enumerate(_MODEL.finditer(body)):
        if tried == _MOST_TRIED or (tried and tried_bytes > _MOST_TRIED_BYTES):
            break
        # It was `present` before, so where it is another now this is the place.
        if _model_of(_spliced(body, found.span(1), other)) == other:
            return found.span(1)
        tried_bytes += len(body)
    return None


def _spliced(body: bytes, place: Place, model: str) -> bytes:
    view, (start, end) = memoryview(body), place
    return b"".join((view[:start], msgspec.json.encode(model), view[end:]))


def _model_of(body: bytes) -> str | None:
    try:
        named = _NAMED.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return named.model if isinstance(named.model, str) else None

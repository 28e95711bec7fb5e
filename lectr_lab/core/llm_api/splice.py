"""Another model in a request's body, every other byte as it was.

A body is not decoded and written anew: that would change escapes, numbers, spaces and
the order of keys, and with them what a provider caches. Instead each place that looks
like `"model": "…"` is tried, and the parser asked whether it is the one that counts.
"""

import re
from itertools import islice
from typing import Any

import msgspec

_BOM = b"\xef\xbb\xbf"
# A closing quote behind `model` ends a JSON text, whatever stands before it; so this is
# found in keys, the body's own or one of an object inside it, and never inside a text.
_MODEL = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*("(?:[^"\\]|\\.)*")', re.DOTALL)
_MOST_TRIED = 8  # each try reads the body once, while a client waits


class _Named(msgspec.Struct):
    model: Any = None


_NAMED = msgspec.json.Decoder(_Named)


def with_model(body: bytes, present: str, model: str) -> bytes | None:
    """The body with another value of its top-level `model`.

    Args:
        body: JSON as received, a byte order mark before it or not.
        present: what its `model` is, as `read_request` has it.
        model: the name to ask for instead.

    Returns:
        The new body; None where the place cannot be found for sure: no JSON object of
        the standard, a key written with escapes, or more than eight such keys in
        objects before it. Of a key given twice the last is replaced, which is the one
        that counts.

    >>> with_model(b'{"user":{"model":"a"}, "model" : "a"}', "a", "b")
    b'{"user":{"model":"a"}, "model" : "b"}'
    >>> with_model(b'{"messages": []}', "a", "b")
    """
    if model == present:
        return None
    value, view = msgspec.json.encode(model), memoryview(body)
    for found in islice(_MODEL.finditer(body), _MOST_TRIED):
        changed = b"".join((view[: found.start(1)], value, view[found.end(1) :]))
        # It was `present` before, so where it is `model` now this is the place.
        if _model_of(changed) == model:
            return changed
    return None


def _model_of(body: bytes) -> str | None:
    try:
        named = _NAMED.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return named.model if isinstance(named.model, str) else None

"""Reading JSON from strangers: what fits is taken, what does not is None, and nothing
raises. The typed read is the fast way; the rest is for what clients and providers also
send: NaN, lone surrogates, broken UTF-8, a number where a text should be.
"""

import json
import re
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

_Shape = TypeVar("_Shape", bound=msgspec.Struct)

# RecursionError: nesting deeper than the interpreter's stack.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_MAX_COUNT = 2**53  # above it a float no longer tells neighbours apart
_UNFIT = object()
_NO_OBJECT = re.compile(rb"[ \t\r\n]{0,1000}(?:[^ \t\r\n{]|\Z)")

QUICK_BYTES = 256 * 1024
"""What fits its shape is read within 13 ms up to here: 87,000 empty parts."""

SKIMMED_BYTES = 4 * 1024 * 1024
"""What does not belong to the shape is skipped, within 7 ms up to here."""

_QUICK_ODD_BYTES = 8 * 1024  # what does not fit is read ten times as slowly


class Unread(Exception):
    """Reading this can take longer than an event loop may be held up."""


def read(decoder: msgspec.json.Decoder[_Shape], data: bytes) -> _Shape | None:
    """The shape that the bytes hold, less the fields that do not fit it.

    Args:
        decoder: of a struct whose fields all have defaults.
        data: JSON, or anything else.

    Returns:
        None where the bytes are no JSON object.

    >>> class Reply(msgspec.Struct):
    ...     model: str | None = None
    ...     choices: list[int] | None = None
    >>> read(msgspec.json.Decoder(Reply), b'{"model": "m", "choices": [1, "x"]}')
    Reply(model='m', choices=[1])
    """
    try:
        return decoder.decode(data)
    except _UNREADABLE:
        return salvaged(decoder.type, loads(data))


def read_quickly(
    decoder: msgspec.json.Decoder[_Shape], data: bytes, most_bytes: int = QUICK_BYTES
) -> _Shape | None:
    """`read`, where that takes some milliseconds at most, whatever was sent.

    Args:
        decoder: as for `read`.
        data: JSON, or anything else.
        most_bytes: of what fits; SKIMMED_BYTES for a shape of scalars.

    Raises:
        Unread: it can take longer; let `read` do it, in another process.

    >>> class Reply(msgspec.Struct):
    ...     model: str | None = None
    >>> read_quickly(msgspec.json.Decoder(Reply), b'{"model": "m"}')
    Reply(model='m')
    """
    if len(data) <= most_bytes:
        try:
            return decoder.decode(data)
        except _UNREADABLE:
            if _NO_OBJECT.match(data):
                return None
            if len(data) <= _QUICK_ODD_BYTES:
                return salvaged(decoder.type, loads(data))
    if _NO_OBJECT.match(data):
        return None
    raise Unread


def loads(data: bytes) -> Any:
    """Any JSON value, with what the standard forbids and Python's parser allows.

    >>> loads(b'[NaN]'), loads(b'{"a": ')
    ([nan], None)
    """
    try:
        return msgspec.json.decode(data)
    except _UNREADABLE:
        pass
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def salvaged(shape: type[_Shape], value: Any) -> _Shape | None:
    """The shape, from the fields of a JSON object that fit it; None from no object."""
    if not isinstance(value, dict):
        return None
    fitted = {
        field.name: _fitted(value[field.encode_name], field.type)
        for field in _fields(shape)
        if field.encode_name in value
    }
    return shape(**{name: v for name, v in fitted.items() if v is not _UNFIT})


def count(value: Any) -> int | None:
    """A count as it may go on record: a whole number, 0 to 2**53.

    >>> count(12), count(12.0), count(-1), count(True), count("12"), count(1e300)
    (12, 12, None, None, None, None)
    """
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else None


def name(value: Any) -> str | None:
    """A short name, such as a finish reason; None for whatever could be content.

    >>> name("stop"), name("Stop, because the user said so"), name(7)
    ('stop', None, None)
    """
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


@cache
def _fields(shape: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(shape)


def _fitted(value: Any, hint: Any) -> Any:
    if _is_struct(hint) and not isinstance(value, dict):
        return _UNFIT  # at a hundredth of what an exception costs
    try:
        return msgspec.convert(value, hint)
    except (msgspec.ValidationError, RecursionError):
        pass
    for kind in get_args(hint) or (hint,):
        if get_origin(kind) is list and isinstance(value, list):
            [item_kind] = get_args(kind)
            items = [_fitted(item, item_kind) for item in value]
            # An item that does not fit keeps its place: they are counted, too.
            blank = item_kind() if _is_struct(item_kind) else _UNFIT
            filled = [blank if item is _UNFIT else item for item in items]
            return [item for item in filled if item is not _UNFIT]
        if _is_struct(kind) and isinstance(value, dict):
            return salvaged(kind, value)
    return _UNFIT


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)

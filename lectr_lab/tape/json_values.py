"""JSON as values that are equal where they mean the same.

JSON has one kind of number (RFC 8259, 6): what Python writes as 0.0 and 1e+16, a program
in JavaScript writes as 0 and 10000000000000000.
"""

from math import isinf
from typing import Any

import msgspec


def json_value(data: bytes) -> Any:
    """What a JSON text says; a whole number is an int, however it is written.

    Raises:
        ValueError: it is no JSON, or nested too deep.

    >>> json_value(b'[1e2, 1.0, 0.5, true]')
    [100, 1, 0.5, True]
    """
    try:
        return _DECODER.decode(data)
    except RecursionError:
        raise ValueError("nested too deep") from None


def canonical(value: Any) -> bytes | None:
    """The one text of a value, names in order; None where it is nested too deep.

    >>> canonical({"b": 1, "a": [0]})
    b'{"a":[0],"b":1}'
    """
    try:
        return msgspec.json.encode(value, order="sorted")
    except RecursionError:  # as deep as can just be read
        return None


def _number(text: str) -> Any:
    """Beyond a float's range it is equal to what is written alike, and to no other."""
    value = float(text)
    if isinf(value):
        return text
    return int(value) if value.is_integer() else value


_DECODER = msgspec.json.Decoder(float_hook=_number)

"""A form with files, as images and transcriptions are asked for: its small fields.

Files are not looked at. Clients write fields before their files or behind them, so both
ends of a body are read, a bounded piece each (RFC 7578; RFC 2046, section 5.1).
"""

import re
from typing import Any

import msgspec

_END_BYTES = 64 * 1024
_MOST_FIELDS = 64
_MOST_VALUE_BYTES = 32 * 1024  # the prompt of a picture
_BOUNDARY = re.compile(rb"--([^\r\n]{1,70})\r\n")
_NAME = re.compile(
    rb'content-disposition:[^\r\n]*?[; ]name="([^"\r\n]{1,100})"', re.IGNORECASE
)
_FILE = re.compile(rb"content-disposition:[^\r\n]*?[; ]filename\*?=", re.IGNORECASE)
_BOOLEANS = {b"true": True, b"false": False}


def is_multipart(body: bytes) -> bool:
    """It begins as a form does, and as no JSON can.

    >>> is_multipart(b'--x\\r\\nContent-Disposition: form-data; name="model"\\r\\n')
    True
    >>> is_multipart(b'{"model": "m"}')
    False
    """
    return body[:2] == b"--" and _BOUNDARY.match(body, 0, 128) is not None


def fields_as_json(body: bytes) -> bytes:
    """The fields of a form that are no files, as a JSON object of texts and booleans.

    Args:
        body: for which `is_multipart` holds.

    Returns:
        Of a name given twice the last; a field that stands in the middle of a long form,
        or is over 32 KB, is not there. Without any field it is `null`.

    >>> field = b'--x\\r\\nContent-Disposition: form-data; name="model"\\r\\n\\r\\nm\\r\\n'
    >>> fields_as_json(field + b"--x--\\r\\n")
    b'{"model":"m"}'
    """
    found = _BOUNDARY.match(body, 0, 128)
    if found is None:
        return b"null"
    between = b"\r\n--" + found[1]
    first = b"\r\n" + body[:_END_BYTES]
    texts = [first] if len(body) <= _END_BYTES else [first, _tail(body, between)]
    fields: dict[str, Any] = {}
    for text in texts:
        # What stands behind the last boundary of a piece may be cut off: it is left out.
        for part in text.split(between, _MOST_FIELDS)[1:-1]:
            fields |= _field(part)
    return msgspec.json.encode(fields or None)


def _tail(body: bytes, between: bytes) -> bytes:
    """The end of a body, from a boundary on."""
    tail = body[max(len(body) - _END_BYTES, _END_BYTES) :]
    begin = tail.find(between)
    return tail[begin:] if begin >= 0 else b""


def _field(part: bytes) -> dict[str, Any]:
    head, blank, value = part.partition(b"\r\n\r\n")
    named = _NAME.search(head)
    if not blank or named is None or _FILE.search(head):
        return {}
    if len(value) > _MOST_VALUE_BYTES:
        return {}
    text = _BOOLEANS.get(value.strip(), value.decode("utf-8", "replace"))
    return {named[1].decode("utf-8", "replace"): text}

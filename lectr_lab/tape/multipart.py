"""An upload as its parts: what stands between them is drawn anew for every request.

Facts. A boundary is any line that occurs in no part (RFC 2046, 5.1.1): SDKs draw it at
random. A part's name and file name are in its Content-Disposition (RFC 7578, 4.2); its
other headers are written by some clients only. SDKs send the same parts in other orders,
and a form has no types: 0 and 0.0 are one number. `tempfile` draws its names, too.
"""

import re
from hashlib import sha256
from typing import Any

from lectr_lab.tape.json_values import json_value

_BOUNDARY = re.compile(rb"\A(?:\r\n)*(--[^\r\n]{1,200})\r\n")
_PARAMETER = re.compile(
    r';\s*(name|filename\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', re.IGNORECASE
)
_DRAWN_NAME = re.compile(r"^tmp[a-z0-9_]{8}(?=\.|$)")
_SHOWN_BYTES = 1_000_000  # of a file: more is compared by its hash
_PLAIN = ("", "text/plain", "application/json")

Parts = dict[str, Any]


def parts_of(body: bytes) -> Parts | None:
    """The parts of a multipart body by name; None where it is none.

    A field is its number or text, a file an object of its name, type and content; of a
    name that comes again, all in a list. Unnamed parts (multipart/related) are "".

    >>> field = b'\\r\\nContent-Disposition: form-data; name="n"\\r\\n\\r\\n0.0\\r\\n'
    >>> parts_of(b"--one" + field + b"--one--\\r\\n")
    {'n': 0}
    """
    opening = _BOUNDARY.match(body)
    if opening is None:
        return None
    pieces = (b"\r\n" + body[opening.start(1) :]).split(b"\r\n" + opening[1])
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        return None
    found: Parts = {}
    for piece in pieces[1:-1]:
        name, value = _part(piece)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _part(piece: bytes) -> tuple[str, Any]:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = headers.get("content-disposition", "")
    named = {m[1].lower(): m[2] or m[3] or "" for m in _PARAMETER.finditer(disposition)}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    file_name = named.get("filename*", named.get("filename"))
    if file_name is None and kind in _PLAIN:
        return named.get("name", ""), _field(content)
    whose = {"filename": _DRAWN_NAME.sub("tmp", file_name or ""), "type": kind}
    return named.get("name", ""), whose | {"content": _content(content)}


def _field(content: bytes) -> Any:
    """A text, or what it says where it is JSON."""
    text = content.decode("utf-8", "replace")
    try:
        return json_value(content)
    except ValueError:
        return text


def _content(content: bytes) -> Any:
    if len(content) <= _SHOWN_BYTES:
        return content.decode("latin-1")
    return {"bytes": len(content), "sha256": sha256(content).hexdigest()}

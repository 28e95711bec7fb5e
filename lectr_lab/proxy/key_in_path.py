"""The door for clients that send no header: `/key/<lc_key>/v1/…`.

The key is cut off at the application's edge, and is a header to all that is behind it:
whoever reads paths (the log, cassettes, providers) never has it.
"""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

_KEYED = re.compile(rb"/+key/+([^/?]+)(?=/)")


def without_key(raw_path: bytes) -> tuple[bytes | None, bytes]:
    """The key that a path begins with, and the rest of it.

    >>> without_key(b"/key/lc_key_x/v1/models")
    (b'lc_key_x', b'/v1/models')
    >>> without_key(b"/v1/models")
    (None, b'/v1/models')
    """
    found = _KEYED.match(raw_path)
    if found is None:
        return None, raw_path
    return unquote_to_bytes(found[1]), raw_path[found.end() :]


def key_as_header(scope: dict[str, Any]) -> dict[str, Any]:
    """A request whose path has a key, as one that sent it as X-Lectr-Key; any other as it
    is. Beside another such header it is as two keys are anywhere."""
    key, raw_path = without_key(scope["raw_path"])
    if key is None:
        return scope
    return scope | {
        "raw_path": raw_path,
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "headers": [*scope["headers"], (b"x-lectr-key", key)],
    }

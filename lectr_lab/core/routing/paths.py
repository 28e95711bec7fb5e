"""A request's path: where its API begins, and what kind of call it is, however spelt.

Decisions are made on the normal form (RFC 3986, 6.2.2: dots resolved, codes of unreserved
characters decoded, once; slashes merged, as most servers do). What a provider is sent is
the path as it came.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from lectr_lab.core.event_values import Operation

_OPERATIONS: dict[bytes, Operation] = {
    b"chat/completions": "chat",
    b"completions": "completions",
    b"embeddings": "embeddings",
    b"responses": "responses",
    b"messages": "messages",
}
# What may stand in the log of a path: the API's own words. Ids and anything else a
# client writes there are content.
_API_WORDS = frozenset(
    "v1 openai chat completions embeddings responses messages models files batches "
    "images generations edits variations audio speech transcriptions translations "
    "moderations fine_tuning jobs uploads parts assistants threads runs steps "
    "vector_stores realtime sessions count_tokens cancel content input_items".split()
)
_MAX_LOGGED_SEGMENTS = 8
_PREFIX = re.compile(rb"/+(?:\./+)*(openai/+(?:\./+)*)?v1(?:/|\Z)")
_UNRESERVED_CODE = re.compile(
    rb"%(2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])"
)


class ApiPath(NamedTuple):
    """A path under `/v1` or `/openai/v1`."""

    prefix: str
    sent: bytes  # what follows the prefix, as it came
    plain: bytes  # the same in its normal form, without a slash at its end

    @property
    def kind(self) -> bytes:
        """Its first segment, which says whose API it is."""
        return self.plain.partition(b"/")[0]


NO_PATH = ApiPath("", b"", b"")
_MOST_REMEMBERED = 64  # of at most 8 KB each; nearly all traffic has one of a few


@lru_cache(_MOST_REMEMBERED)
def api_path(raw_path: bytes) -> ApiPath | None:
    """Where a path's API begins; None where that is not ours, or is left by `..`.

    >>> api_path(b"/v1//models/./gpt%2D4o")
    ApiPath(prefix='/v1', sent=b'/models/./gpt%2D4o', plain=b'models/gpt-4o')
    >>> api_path(b"/health"), api_path(b"/v1/../health")
    (None, None)
    """
    begun = _PREFIX.match(raw_path)
    if begun is None:
        return None
    sent = raw_path[begun.end() :]
    plain = _normal(sent)
    if plain is None:
        return None
    return ApiPath("/openai/v1" if begun[1] else "/v1", sent, plain)


def operation(raw_path: bytes) -> Operation:
    """What kind of call a path is; `other` is passed through without accounting.

    >>> operation(b"/v1/chat//completions"), operation(b"/v1/models")
    ('chat', 'other')
    """
    return _OPERATIONS.get((api_path(raw_path) or NO_PATH).plain, "other")


def logged_path(raw_path: bytes) -> str:
    """The path as the log may hold it: what is not the API's own word becomes `*`.

    >>> logged_path(b"/v1/files/file-abc123/content")
    '/v1/files/*/content'
    """
    path = api_path(raw_path)
    plain = f"{path.prefix}/".encode() + path.plain if path else raw_path
    segments = plain.decode("latin-1").split("/")[1 : _MAX_LOGGED_SEGMENTS + 1]
    return "/" + "/".join(s if s in _API_WORDS else "*" for s in segments)


def _normal(path: bytes) -> bytes | None:
    """None where its dots lead out of it."""
    segments: list[bytes] = []
    for segment in _UNRESERVED_CODE.sub(_decoded, path).split(b"/"):
        if segment == b".." and not segments:
            return None
        if segment == b"..":
            segments.pop()
        elif segment not in (b"", b"."):
            segments.append(segment)
    return b"/".join(segments)


def _decoded(code: re.Match[bytes]) -> bytes:
    return bytes.fromhex(code[1].decode())

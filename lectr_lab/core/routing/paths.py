"""A request's path: where its API begins, and what kind of call it is, however spelt.

Decisions are made on the normal form (RFC 3986, 6.2.2: dots resolved, codes of unreserved
characters decoded, once; slashes merged, as most servers do). What a provider is sent is
the path as it came.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import unquote_to_bytes

from lectr_lab.core.event_values import Operation

_OPERATIONS: dict[bytes, Operation] = {
    b"chat/completions": "chat",
    b"completions": "completions",
    b"embeddings": "embeddings",
    b"responses": "responses",
    b"responses/compact": "compact",
    b"messages": "messages",
    b"messages/count_tokens": "count_tokens",
}
# By the first segment, and of Anthropic's batches by the second.
_KINDS: dict[bytes, Operation] = {
    b"models": "models",
    b"files": "files",
    b"uploads": "files",
    b"batches": "batches",
    b"messages/batches": "batches",
    b"images": "images",
    b"audio": "audio",
    b"moderations": "moderations",
    b"rerank": "rerank",
}
# Gemini's own API. Source: https://ai.google.dev/api/all-methods, read 2026-11-30.
VERBS: dict[bytes, Operation] = {
    b"generateContent": "generate_content",
    b"streamGenerateContent": "generate_content",
    b"countTokens": "count_tokens",
    b"embedContent": "embeddings",
    b"batchEmbedContents": "embeddings",
    b"batchGenerateContent": "batches",
    b"asyncBatchEmbedContent": "batches",
}
VERB = re.compile(rb"(?::|%3[Aa])([A-Za-z]+)\Z")
# What may stand in the log of a path: the API's own words. Ids and anything else a
# client writes there are content.
_API_WORDS = frozenset(
    "v1 v1beta upload openai chat completions embeddings responses messages models "
    "files batches images generations edits variations audio speech transcriptions "
    "translations moderations fine_tuning jobs uploads parts assistants threads runs "
    "steps vector_stores realtime sessions count_tokens cancel content input_items "
    "compact rerank results tunedModels cachedContents conversations items events "
    "checkpoints credits generation key auth".split()
) | {verb.decode() for verb in VERBS}
_MAX_LOGGED_SEGMENTS = 8
_DOTS = rb"(?:\./+)*"
_PREFIX = re.compile(
    rb"/+%b(?:(openai)/+%b|(upload)/+%b(?=v1beta))?(v1beta|v1)(?:/|\Z)" % ((_DOTS,) * 3)
)
_TWICE = re.compile(rb"(?:upload/)?v1(?:beta)?(?:/|\Z)")  # no API has it in its v1
_UNRESERVED_CODE = re.compile(
    rb"%(2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])"
)
_MOST_REMEMBERED = 64  # of at most 8 KB each


@dataclass(frozen=True)
class ApiPath:
    """A path under `/v1`, `/openai/v1`, `/v1beta` or `/upload/v1beta`. What it tells is
    found out once: nearly all requests have one of a few."""

    prefix: str
    sent: bytes  # what follows the prefix, as it came
    plain: bytes  # the same in its normal form, without a slash at its end

    @cached_property
    def kind(self) -> bytes:
        """Its first segment, which says whose API it is."""
        return self.plain.partition(b"/")[0]

    @cached_property
    def verb(self) -> bytes:
        """What Gemini's own API is asked to do; empty in any other."""
        verb = VERB.search(self.plain)
        return verb[1] if verb and verb[1] in VERBS else b""

    @cached_property
    def owner(self) -> str | None:
        """Whose API it is, where nobody else has such paths."""
        if self.kind == b"messages":
            return "anthropic"
        if self.verb or self.prefix.endswith("v1beta"):
            return "gemini"
        return "groq" if self.prefix == "/openai/v1" else None

    @cached_property
    def is_native(self) -> bool:
        """Gemini's own form of asking, and not the one compatible with OpenAI's."""
        return self.owner == "gemini" and self.kind != b"openai"

    @cached_property
    def is_stored_response(self) -> bool:
        """It is a response by its id, such as one that ran in the background.

        >>> api_path(b"/v1/responses/resp_1").is_stored_response
        True
        """
        there, _, name = self.plain.partition(b"responses/")
        return bool(name) and not there and b"/" not in name

    @cached_property
    def model(self) -> str | None:
        """The model that the path names, as Gemini's own does.

        >>> api_path(b"/v1beta/models/gemini-3:generateContent").model
        'gemini-3'
        """
        if not self.verb:
            return None
        name = VERB.sub(b"", self.plain).removeprefix(b"models/")
        return unquote_to_bytes(name).decode("utf-8", "replace") or None


NO_PATH = ApiPath("", b"", b"")


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
    plain = normal_form(sent)
    if plain is None or _TWICE.match(plain):
        return None  # a base URL with one too many
    segments = filter(None, (begun[1] or begun[2], begun[3]))
    return ApiPath("/" + b"/".join(segments).decode(), sent, plain)


@lru_cache(_MOST_REMEMBERED)
def operation(raw_path: bytes) -> Operation:
    """What kind of call a path is; `other` is passed through without accounting.

    >>> operation(b"/v1/chat//completions"), operation(b"/v1/models/gpt-4o")
    ('chat', 'models')
    """
    path = api_path(raw_path) or NO_PATH
    plain = path.plain.removeprefix(b"openai/") if "beta" in path.prefix else path.plain
    known = VERBS.get(path.verb) or _OPERATIONS.get(plain)
    if known:
        return known
    two = b"/".join(plain.split(b"/", 2)[:2])
    return _KINDS.get(two) or _KINDS.get(path.kind, "other")


@lru_cache(_MOST_REMEMBERED)
def logged_path(raw_path: bytes) -> str:
    """The path as the log may hold it: what is not the API's own word becomes `*`.

    >>> logged_path(b"/v1/files/file-abc123/content")
    '/v1/files/*/content'
    """
    path = api_path(raw_path)
    plain = f"{path.prefix}/".encode() + path.plain if path else raw_path
    segments = plain.decode("latin-1").split("/")[1 : _MAX_LOGGED_SEGMENTS + 1]
    return "/" + "/".join(map(_logged, segments))


def _logged(segment: str) -> str:
    if segment in _API_WORDS:
        return segment
    verb = VERB.search(segment.encode())
    return f"*:{verb[1].decode()}" if verb and verb[1] in VERBS else "*"


def normal_form(path: bytes) -> bytes | None:
    """A path without slashes at its ends; None where its dots lead out of it.

    >>> normal_form(b"/v1//./models/gpt%2D4o/")
    b'v1/models/gpt-4o'
    """
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

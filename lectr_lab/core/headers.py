"""Request headers: what a client tells us, and what of it a provider may see.

Facts, from the headers reference and RFC 9110:

- `X-Lectr-*` is for the proxy alone. A repeated header counts once, the first; two
  different keys are an error. Values are trimmed, and a blank one is missing.
- Connection headers (section 7.6.1) belong to one hop and are not passed on, in
  either direction; framing (`content-length`, `trailer`) is each hop's own.
- The provider's key arrives in `Authorization`, or in the header a vendor's SDK
  uses where that is absent. It leaves in the target's one header.
"""

import re
from collections.abc import Callable, Container, Sequence
from operator import itemgetter
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

import msgspec

from lectr_lab.core.credentials import credential_of, plan_headers
from lectr_lab.core.event_values import Credential
from lectr_lab.core.registry import AuthStyle, registry

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]

TASKS = frozenset(
    {"classification", "summarisation", "extraction", "generation", "reasoning"}
)
MAX_FEATURE_CHARS = 100

REDACTED = "[redacted]"

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_BEARER_KEYS = tuple(
    prefix.encode() for row in registry().values() for prefix in row.bearer_key_prefixes
)
# In order of preference, where `Authorization` is absent.
_SDK_KEY_HEADERS = tuple(
    row.sdk_key_header.encode() for row in registry().values() if row.sdk_key_header
)
_PLAN_HEADERS = plan_headers()
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
# The engine writes its own host and length; we have already answered `expect`.
_NOT_FORWARDED = _HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    b"authorization",
    b"proxy-authorization",  # ours to read, as the first proxy: RFC 9110, 11.7.2
    *_SDK_KEY_HEADERS,
}

_FOR_ANYONE = frozenset(
    {b"accept", b"accept-encoding", b"accept-language", b"content-type", b"user-agent"}
    | {b"anthropic-version"}
)
_VALUE = itemgetter(1)
_SHORTEST_KEY = 8  # `x` or `none`, as local servers are given, is a word like others
_ENCODINGS = ("utf-8", "latin-1")


class ClientHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """What a client said in its headers. Holds keys: never logged, never shown."""

    lectr_key: str | None = None
    keys_conflict: bool = False
    feature: str | None = None
    feature_valid: bool | None = None
    task: str | None = None
    provider: str | None = None  # one that requests can be for
    provider_invalid: str | None = None  # as sent, where it is none of them
    authorization: bytes | None = None  # as received
    provider_key: bytes | None = None  # the same without its scheme
    unused_keys: tuple[bytes, ...] = ()  # in SDKs' own headers
    query_key: bytes | None = None  # `?key=`, as Google's API takes it too
    credential: Credential | None = None  # what kind of key it is
    anthropic_version: bool = False  # which Anthropic's clients alone send
    retry_count: int | None = None
    first: dict[bytes, bytes] = {}  # the value of each header, by its name


def read_headers(
    raw: RawHeaders, providers: Container[str] | None = None, query: bytes = b""
) -> ClientHeaders:
    """Read what concerns us; the first of a repeated header counts.

    Args:
        raw: names in lower case and values, as bytes, in the order received.
        providers: names that X-Lectr-Provider may have; None: the registry's.
        query: the request's; of it only a key is read.

    Returns:
        The client's words, trimmed; None where there are none.

    >>> client = read_headers([(b"x-lectr-task", b" Classification ")])
    >>> client.task, client.feature
    ('classification', None)
    """
    first = dict(reversed(raw))
    lectr_keys = (v.strip() for n, v in raw if n == b"x-lectr-key")
    conflict = len(first) < len(raw) and len(set(lectr_keys)) > 1
    feature = header_text(first.get(b"x-lectr-feature"))
    task = header_text(first.get(b"x-lectr-task"))
    provider = header_text(first.get(b"x-lectr-provider"))
    names = registry() if providers is None else providers
    known = provider.lower() if provider and provider.lower() in names else None
    authorization = _authorization(first)
    provider_key = _provider_key(authorization, first)
    query_key = _query_key(query) if b"key=" in query else None
    return ClientHeaders(
        lectr_key=header_text(first.get(b"x-lectr-key")),
        keys_conflict=conflict,
        feature=feature,
        feature_valid=None if feature is None else len(feature) <= MAX_FEATURE_CHARS,
        task=task.lower() if task and task.lower() in TASKS else task,
        provider=known,
        provider_invalid=None if known else provider,
        authorization=authorization,
        provider_key=provider_key,
        unused_keys=tuple(
            first[n] for n in filter(first.__contains__, _SDK_KEY_HEADERS)
        ),
        query_key=query_key,
        credential=credential_of(
            provider_key or query_key,
            key_header=authorization is None,
            plan_header=not _PLAN_HEADERS.isdisjoint(first),
        ),
        anthropic_version=b"anthropic-version" in first,
        retry_count=_count(first.get(b"x-stainless-retry-count")),
        first=first,
    )


def forwarded_request_headers(
    raw: RawHeaders, client_headers: ClientHeaders, auth: AuthStyle
) -> list[tuple[bytes, bytes]]:
    """The headers a provider gets: the client's, less ours, with the key where it goes.

    Args:
        raw: the client's headers, names in lower case.
        client_headers: what `read_headers` made of them.
        auth: the one header this target takes its key in.

    Returns:
        Names and values, in the client's order, the key's header last.
    """
    dropped = _NOT_FORWARDED
    if b"connection" in client_headers.first:
        dropped |= _named_by_connection(raw)
    kept = [
        (name, value)
        for name, value in raw
        if name not in dropped and not name.startswith(b"x-lectr-")
    ]
    key = _key_header(client_headers, auth)
    return [*kept, key] if key else kept


def headers_for_another_vendor(
    raw: RawHeaders,
    client_headers: ClientHeaders,
    auth: AuthStyle,
    operator_key: bytes | None,
) -> list[tuple[bytes, bytes]]:
    """The headers for a vendor that the client did not name, as a rule may have it.

    Only what says how body and reply are to be read goes there, with the operator's
    key: a client's other headers may hold its keys, cookies and account.

    Args:
        raw: the client's headers, names in lower case.
        client_headers: what `read_headers` made of them.
        auth: the one header this target takes its key in; for "none" no key is sent.
        operator_key: the operator's own for this vendor.
    """
    kept = [
        (name, value)
        for name, value in raw
        if name in _FOR_ANYONE and not holds_key(value, client_headers)
    ]
    if operator_key is None or auth == "none":
        return kept
    return [*kept, _named_key(auth, operator_key, b"Bearer " + operator_key)]


def in_lower_case(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The same headers, their names in lower case.

    >>> in_lower_case([(b"Via", b"A")])
    [(b'via', b'A')]
    """
    return [(name.lower(), value) for name, value in raw]


def forwarded_response_headers(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """The provider's headers as the client gets them: all but the hop-by-hop ones.

    A length beside chunks does not count (RFC 9112, 6.3). A value with control
    characters is not HTTP, and no server of ours could write it.
    """
    names = [name.lower() for name, _ in raw]
    kept = list(raw)
    if not _HOP_BY_HOP.isdisjoint(names):
        dropped = _HOP_BY_HOP
        if b"connection" in names:
            dropped |= _named_by_connection(raw)
        if b"transfer-encoding" in names:
            dropped |= {b"content-length"}
        kept = [f for name, f in zip(names, raw, strict=True) if name not in dropped]
    if _CONTROL(b"".join(map(_VALUE, kept))):
        return [(name, value) for name, value in kept if not _CONTROL(value)]
    return kept


def encoding_of(raw: RawHeaders) -> str:
    """The encoding that a request's body is in; "" where it is plain.

    >>> encoding_of([(b"content-encoding", b"GZIP")]), encoding_of([])
    ('gzip', '')
    """
    values = [value for name, value in raw if name == b"content-encoding"]
    named = b",".join(values).decode("latin-1").strip().lower()
    return "" if named == "identity" else named


def client_keys(client_headers: ClientHeaders) -> frozenset[str]:
    """Every key that came with a request, without schemes.

    >>> sorted(client_keys(ClientHeaders(lectr_key="lc_key_1", provider_key=b"sk-1")))
    ['lc_key_1', 'sk-1']
    """
    keys = (
        client_headers.provider_key,
        client_headers.authorization,
        client_headers.query_key,
        *client_headers.unused_keys,
    )
    parts = {part for key in keys if key for part in key.split()[-1:]}
    return frozenset(filter(None, (client_headers.lectr_key, *map(header_text, parts))))


def holds_key(data: bytes, client_headers: ClientHeaders) -> bool:
    """One of the request's keys is written in these bytes, a body or a header.

    >>> holds_key(b'{"user": "sk-12345"}', ClientHeaders(provider_key=b"sk-12345"))
    True
    """
    keys = [key for key in client_keys(client_headers) if len(key) >= _SHORTEST_KEY]
    written = {key.encode(code, "ignore") for key in keys for code in _ENCODINGS}
    return any(secret in data for secret in written if secret)


def redactor(
    client_headers: ClientHeaders, operator_keys: frozenset[str] = frozenset()
) -> Callable[[str | None], str | None]:
    """Gives a text, or a mark in its place where a key of the request, or one of the
    operator's own, is in it.

    >>> redactor(ClientHeaders(provider_key=b"sk-1"))("chat-sk-1")
    '[redacted]'
    """
    secrets = client_keys(client_headers) | operator_keys

    def redact(text: str | None) -> str | None:
        if text is not None:
            for secret in secrets:
                if secret in text:
                    return REDACTED
        return text

    return redact


def _named_by_connection(raw: RawHeaders) -> frozenset[bytes]:
    values = [value for name, value in raw if name.lower() == b"connection"]
    return frozenset(t.strip().lower() for v in values for t in v.split(b","))


def _key_header(
    client_headers: ClientHeaders, auth: AuthStyle
) -> tuple[bytes, bytes] | None:
    key = client_headers.provider_key
    if key is None:
        return None
    if client_headers.authorization is not None and key.startswith(_BEARER_KEYS):
        return b"authorization", client_headers.authorization
    return _named_key(auth, key, client_headers.authorization or b"Bearer " + key)


def _named_key(auth: AuthStyle, key: bytes, bearer: bytes) -> tuple[bytes, bytes]:
    if auth in ("x-api-key", "api-key", "x-goog-api-key"):
        return auth.encode(), key
    return b"authorization", bearer


def _authorization(first: dict[bytes, bytes]) -> bytes | None:
    value = first.get(b"authorization", b"").strip()
    # A scheme with nothing behind it is what an SDK sends for an empty key.
    return None if value.lower() in (b"", b"bearer") else value


def _provider_key(
    authorization: bytes | None, first: dict[bytes, bytes]
) -> bytes | None:
    if authorization is not None:
        scheme, _, rest = authorization.partition(b" ")
        return rest.strip() if scheme.lower() == b"bearer" else authorization
    keys = (first.get(name, b"").strip() for name in _SDK_KEY_HEADERS)
    return next((key for key in keys if key), None)


def _query_key(query: bytes) -> bytes | None:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"key" and value:
            return unquote_to_bytes(value)
    return None


def header_text(value: bytes | None) -> str | None:
    """A value as it is stored: UTF-8, else latin-1; trimmed; blank is missing.

    >>> header_text(b" chat "), header_text(b" "), header_text(b"caf\\xe9")
    ('chat', None, 'café')
    """
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip() or None


def _count(value: bytes | None) -> int | None:
    digits = (value or b"").strip()
    return int(digits) if digits.isdigit() and len(digits) < 6 else None

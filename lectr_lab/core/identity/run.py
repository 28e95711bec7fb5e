"""Who asks, and in which run: the event's columns of both, out of one request.

`X-Lectr-Session` and `X-Lectr-User` go on record as sent: the operator chose them. What
programs send goes on record as sent only where it is an id by its form; anything else,
and whatever a body calls its user, only as a keyed hash, or not at all. What has one of
the request's keys in it is redacted, like its other words.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lectr_lab.core.event_values import Operation, TurnKind, cut
from lectr_lab.core.headers import (
    REDACTED,
    ClientHeaders,
    RawHeaders,
    client_keys,
    header_text,
)
from lectr_lab.core.identity.clients import client_of
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.core.identity.sessions import named_in, session_headers
from lectr_lab.core.identity.trace import trace_id
from lectr_lab.core.identity.turns import TELLING_FAMILIES, Turn, turn_kind
from lectr_lab.core.llm_api.request import RequestFacts
from lectr_lab.core.registry import provider_of_key

_TELLING = session_headers() | {b"x-lectr-session", b"x-lectr-user", b"traceparent"}
# Not what begins as a credential does: a session's token is one.
_OPAQUE = re.compile(r"(?!sk-|lc_key_|eyJ|ya29\.|gh[a-z]_)[A-Za-z0-9_.:-]{1,128}")
# As local servers are given (`1`, `none`): such a word is in ids by chance.
_NO_SECRET = re.compile(r"[A-Za-z0-9]{1,4}")


class Run(NamedTuple):
    """The event's columns of that name."""

    client: str | None = None
    client_version: str | None = None
    session: str | None = None
    agent: str | None = None
    parent_agent: str | None = None
    turn_kind: TurnKind | None = None
    user: str | None = None
    trace_id: str | None = None


def run_of_head(first: Mapping[bytes, bytes]) -> Run | None:
    """Who asks, where a head tells the program and no more; None: it tells more.

    Args:
        first: the request's headers, names in lower case, the first of each.

    >>> run_of_head({b"user-agent": b"OpenAI/Python 2.1.0"}).client
    'openai-python'
    >>> run_of_head({b"x-lectr-session": b"nightly"})
    """
    client = client_of(first)
    if client.family in TELLING_FAMILIES or not _TELLING.isdisjoint(first):
        return None
    return Run(client.family, client.version)  # most SDKs


def body_tells_run(operation: Operation, request: RequestFacts) -> bool:
    """Whether a body says of its run what its head may not."""
    return bool(request.user or request.session) or operation == "compact"


def run_of(
    headers: RawHeaders,
    operation: Operation,
    request: RequestFacts,
    client_headers: ClientHeaders,
    operator_keys: frozenset[str] = frozenset(),
    keyed_hash: KeyedHash | None = None,
) -> Run:
    """Who asks, and in which run.

    Args:
        headers: the client's, names in lower case.
        operation: as in the event.
        request: what its body says.
        client_headers: the keys that came with it.
        operator_keys: the operator's own.
        keyed_hash: None: there is no secret, and nothing is hashed.

    >>> headers = [(b"x-lectr-session", b"nightly")]
    >>> run_of(headers, "chat", RequestFacts(), ClientHeaders()).session
    'nightly'
    """
    first = client_headers.first or dict(reversed(headers))
    of_head = run_of_head(first)
    if of_head is not None and not body_tells_run(operation, request):
        return of_head
    client = client_of(first)
    named = named_in(first)
    hide = _redactor(client_keys(client_headers) | operator_keys)

    def told(value: bytes | str | None) -> str | None:
        """An id that a program sent."""
        text = header_text(value) if isinstance(value, bytes) else value
        if text is None or _is_id(text):
            return hide(text)
        return keyed_hash.of(text) if keyed_hash else None

    compacts = request.turn_kind == "compaction"
    turn = Turn(first, named.agent is not None, request.has_tools, compacts)
    return Run(
        client.family,
        client.version,
        cut(hide(header_text(first.get(b"x-lectr-session"))))
        or told(named.session or request.session),
        told(named.agent),
        told(named.parent_agent),
        turn_kind(client.family, operation, turn),
        cut(hide(header_text(first.get(b"x-lectr-user"))))
        or (keyed_hash.of(request.user) if keyed_hash and request.user else None),
        hide(trace_id(headers)) if b"traceparent" in first else None,
    )


def _redactor(keys: frozenset[str]) -> Callable[[str | None], str | None]:
    secrets = [key for key in keys if not _NO_SECRET.fullmatch(key)]

    def hide(text: str | None) -> str | None:
        found = text is not None and any(secret in text for secret in secrets)
        return REDACTED if found else text

    return hide


def _is_id(text: str) -> bool:
    return bool(_OPAQUE.fullmatch(text)) and provider_of_key(text.encode()) is None

"""Requests without the ids that a client draws: they are other ones every time.

Two kinds. An id that ties a tool's result to its call says nothing but which call it is;
where a provider gives none (Gemini, local servers), frameworks draw one. And UUIDs under
an id's name: of a session, a user, a request, a cache key (Claude Code's
`metadata.user_id`, Codex's `prompt_cache_key`, LiteLLM's `litellm_call_id`). An id is
replaced by the place at which it came first, so that what belongs together still does.
What a provider gave out stays: its files, responses, conversations, containers.
"""

import re
from typing import Any

from lectr_lab.tape.compare import Request
from lectr_lab.tape.json_values import canonical

_UUID = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|(?<![0-9a-zA-Z])[0-9a-fA-F]{32}(?![0-9a-zA-Z])"
)
_OF_A_CALL = frozenset({"tool_call_id", "tool_use_id", "call_id", "toolCallId"})
_CALLS = frozenset({"function", "tool_use", "function_call", "custom_tool_call"})
_IDS = re.compile(
    r"(?:^|_)(?:ids?|uuid|user|key|identifier)$|[a-z](?:Id|Ids|Uuid|Key)$"
)
_GIVEN = re.compile(
    r"file|response|batch|vector|container|conversation|thread|assistant|model|cached_",
    re.IGNORECASE,
)


def without_client_ids(request: Request) -> tuple[object, ...] | None:
    """What must be equal, but for drawn ids; None where there are none.

    >>> body = {"user_id": "session_0d1f0d1f-0000-4000-8000-000000000000"}
    >>> one = Request("POST", "messages", (), None, b"", body, None)
    >>> without_client_ids(one)[-1]
    b'{"user_id":"session_#0"}'
    """
    places: dict[str, str] = {}
    query = tuple((name, _named(name, text, places)) for name, text in request.query)
    try:
        body = _renamed(request.body, places)
    except RecursionError:
        return None
    if not places:
        return None
    text = request.canonical if body is None else canonical(body)
    return request.method, request.operation, query, text


def _renamed(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, places) for one in value]
    if not isinstance(value, dict):
        return value
    is_call = value.get("type") in _CALLS or "function" in value
    found = {}
    for name in sorted(value):
        one = value[name]
        if not isinstance(one, str):
            found[name] = _renamed(one, places)
        elif name in _OF_A_CALL or (name == "id" and is_call):
            found[name] = _place(one, places)
        else:
            found[name] = _named(name, one, places)
    return found


def _named(name: str, text: str, places: dict[str, str]) -> str:
    """A text whose name says whether an id may be in it."""
    if not _IDS.search(name) or _GIVEN.search(name):
        return text
    return _UUID.sub(lambda found: _place(found[0], places), text)


def _place(drawn: str, places: dict[str, str]) -> str:
    return places.setdefault(drawn, f"#{len(places)}")

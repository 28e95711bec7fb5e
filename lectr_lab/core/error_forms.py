"""An error in the form of each API, as its vendor's SDKs and agents read it.

Sources, read 2026-11-30: https://docs.claude.com/en/api/errors and
https://cloud.google.com/apis/design/errors (AIP-193: `details` has the reason).
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from lectr_lab.core.routing.paths import VERB, VERBS, normal_form

Form: TypeAlias = Literal["openai", "anthropic", "gemini"]

_BASES = frozenset({b"v1", b"v1beta", b"openai", b"upload"})
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_GEMINI_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def form_of(raw_path: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> Form:
    """Whose form a request has, by its path and headers, be its base URL right or not.

    >>> form_of(b"/v1/messages"), form_of(b"/v1/v1beta/models/m:countTokens")
    ('anthropic', 'gemini')
    >>> form_of(b"/v1beta/openai/chat/completions")
    'openai'
    """
    if any(name == b"anthropic-version" for name, _ in headers):
        return "anthropic"
    bases, rest = split_path(raw_path)
    if rest.partition(b"/")[0] == b"messages":
        return "anthropic"
    verb = VERB.search(rest)
    native = b"v1beta" in bases or (verb is not None and verb[1] in VERBS)
    return "gemini" if native and b"openai" not in bases else "openai"


def split_path(raw_path: bytes) -> tuple[list[bytes], bytes]:
    """What of a path a base URL may have brought, and the rest, in normal form.

    >>> split_path(b"/v1/v1/chat//completions")
    ([b'v1', b'v1'], b'chat/completions')
    """
    segments = (normal_form(raw_path) or b"").split(b"/")
    own = next((i for i, s in enumerate(segments) if s not in _BASES), len(segments))
    return segments[:own], b"/".join(segments[own:])


def error_body(
    form: Form, status: int, type_: str, code: str, message: str
) -> dict[str, Any]:
    """An error as the API's own would be, with our `code` in it.

    Args:
        form: whose.
        status: HTTP's, 400 to 599.
        type_: as OpenAI would have it, or `upstream_error` where the fault is not ours.
        code: of ours.
        message: what to do.

    >>> error_body("anthropic", 401, "authentication_error", "no_key", "…")["error"]
    {'type': 'authentication_error', 'message': '…', 'code': 'no_key'}
    >>> error_body("gemini", 401, "authentication_error", "no_key", "…")["error"]["status"]
    'UNAUTHENTICATED'
    """
    if form == "anthropic":
        error = {"type": _anthropic_type(status, type_), "message": message}
        return {"type": "error", "error": error | {"code": code}}
    if form == "gemini":
        usual = "INVALID_ARGUMENT" if status < 500 else "INTERNAL"
        why = {"@type": _ERROR_INFO, "reason": code, "domain": "lectr-lab"}
        return {
            "error": {
                "code": status,
                "message": message,
                "status": _GEMINI_STATUSES.get(status, usual),
                "details": [why],
            }
        }
    return {"error": {"message": message, "type": type_, "code": code}}


def _anthropic_type(status: int, type_: str) -> str:
    """Claude Code takes `overloaded_error` for a busy model, and may choose another: so
    only where we are what is busy."""
    if status == 503 and type_ == "server_error":
        return "overloaded_error"
    usual = "invalid_request_error" if status < 500 else "api_error"
    return _ANTHROPIC_TYPES.get(status, usual)

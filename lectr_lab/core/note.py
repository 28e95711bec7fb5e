"""Who a request is for, passed down to whoever records below the proxy.

The upstream protocol has no room for it and no need of it: only a recorder asks. So it
travels in the request's own context, set once a request, seen by no other request.
"""

from contextvars import ContextVar

import msgspec


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Names that tie a recorded call to its event in the log."""

    event_id: bytes
    org: str
    feature: str | None = None
    task: str | None = None
    provider: str | None = None


CURRENT: ContextVar[Note | None] = ContextVar("lectr_lab_note", default=None)
"""The running request's note; None where nobody set one."""

"""How a provider is asked: a method, a URL, raw headers and a body, answered by a status,
raw headers and chunks. The proxy's engines speak it, and so do the recorder around one
and the tape in the place of one.

Who a request is for is passed down to whoever records below the proxy. The protocol has
no room for it and no need of it: only a recorder asks. So it travels in the request's
own context, set once a request, seen by no other request.
"""

from collections.abc import AsyncIterator, Awaitable
from contextvars import ContextVar
from typing import Protocol

import msgspec

from lectr_lab.core.headers import RawHeaders


class Reply(Protocol):
    """A provider's answer: its head, then its body as it comes."""

    status: int
    headers: RawHeaders

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Body chunks as they arrive, undecoded. Raises UpstreamBroken."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Let go of the connection; unread chunks mean it is closed."""
        ...


def whole_body(reply: Reply) -> bytes:
    """The body, where it came with its head, to the last byte, and the engine can tell:
    its replies then have a method of this name. Nothing: the reply is read as any."""
    told = getattr(reply, "whole_body", None)
    return told() if told is not None else b""


class Engine(Protocol):
    """An engine that asks providers."""

    def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Awaitable[Reply]:
        """Ask, and return at the reply's head. Raises UpstreamError."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Close every connection."""
        ...


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Names that tie a recorded call to its event in the log."""

    event_id: bytes
    org: str
    feature: str | None = None
    task: str | None = None
    provider: str | None = None


CURRENT_NOTE: ContextVar[Note | None] = ContextVar("lectr_lab_note", default=None)
"""The running request's note; None where nobody set one."""

"""How a provider is asked: a method, a URL, raw headers and a body, answered by a status,
raw headers and chunks. The proxy's engines speak it, and so do the recorder around one
and the tape in the place of one."""

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

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


class Upstream(Protocol):
    """An engine that asks providers."""

    def send(
        self, method: str, url: str, headers: RawHeaders, body: bytes
    ) -> Awaitable[Reply]:
        """Ask, and return at the reply's head. Raises UpstreamError."""
        ...

    def aclose(self) -> Awaitable[None]:
        """Close every connection."""
        ...

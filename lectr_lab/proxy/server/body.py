"""A client's request body, read whole, up to a limit."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Scope: TypeAlias = Any  # ASGI's own dictionaries
Receive: TypeAlias = Callable[[], Awaitable[Any]]


class ClientGone(Exception):
    """The client went away before its request was complete."""


class TooLarge(Exception):
    """The body is over the limit."""


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body of a request.

    Args:
        scope: ASGI's, for the length that the client declared.
        receive: ASGI's.
        limit_bytes: what may be read at most; a declared length is believed at once.

    Raises:
        TooLarge: there is more, or more is declared.
        ClientGone: the client left before the end.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit_bytes:
            raise TooLarge
    parts, size_bytes, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part, more = message["body"], message["more_body"]
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise TooLarge
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)

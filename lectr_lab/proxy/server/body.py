"""A client's request body, read whole, up to a limit."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from lectr_lab.proxy.server.bodies import BodiesInFlight, Held

Scope: TypeAlias = Any  # ASGI's own dictionaries
Receive: TypeAlias = Callable[[], Awaitable[Any]]
BARE_QUERY = "lectr_bare_query"  # in a request's `state`, where a target ends in `?`
LATE = "lectr_late"  # in a request's `state`, where a piece of its body is overdue

_BLOCK_BYTES = 1024 * 1024  # small pieces of large bodies would tear memory to shreds


class ClientGone(Exception):
    """The client went away before its request was complete."""


class TooLate(Exception):
    """The client stopped sending before its request was complete."""


class TooLarge(Exception):
    """The body is over the limit."""


class Flow(FlowControl):
    """uvicorn's, which goes on reading whenever a body is asked for, though it may be
    here and the next requests behind it, too."""

    is_full = False

    def resume_reading(self) -> None:
        if not self.is_full:
            super().resume_reading()


def asks_nothing(scope: Scope) -> bool:
    """A target ends in its question mark. ASGI does not tell it: our own server does."""
    return BARE_QUERY in scope.get("state", ())


async def read_body(
    scope: Scope, receive: Receive, limit_bytes: int, held: Held | None = None
) -> bytes:
    """The whole body of a request.

    Args:
        scope: ASGI's, for the length that the client declared.
        receive: ASGI's.
        limit_bytes: what may be read at most; a declared length is believed at once.
        held: counts it beside the others; None: it is small.

    Raises:
        TooLarge: there is more, or more is declared.
        Busy: there is no room for it, or there was none for what is declared.
        ClientGone: the client left before the end.
        TooLate: it is there, but sends no more; only our own server says so.
    """
    held = held or Held(BodiesInFlight(limit_bytes))
    whole = _whole_body(receive)
    if whole is not None:
        if len(whole) > limit_bytes:
            raise TooLarge
        held.add(len(whole))
        return whole
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            if int(value) > limit_bytes:
                raise TooLarge
            held.check_room(int(value))
    parts: list[bytes] = []
    blocks: list[bytes] = []
    parts_bytes = size_bytes = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part: bytes = message["body"]
        if message["more_body"] and not part and LATE in scope.get("state", ()):
            raise TooLate
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise TooLarge
        held.add(len(part))
        if not message["more_body"]:
            break
        parts.append(part)
        parts_bytes += len(part)
        if parts_bytes >= _BLOCK_BYTES:
            blocks.append(b"".join(parts))
            parts, parts_bytes = [], 0
    if not blocks:
        return b"".join([*parts, part]) if parts else part
    # Of so many bytes it lets go of the interpreter's lock.
    return await asyncio.to_thread(b"".join, [*blocks, *parts, part])


def _whole_body(receive: Receive) -> bytes | None:
    """The body, where our own server has all of it by now, as of nearly every request."""
    cycle = getattr(receive, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.more_body:
        return None
    if cycle.disconnected or cycle.waiting_for_100_continue:
        return None
    body = bytes(cycle.body)
    cycle.body = bytearray()
    if cycle.flow.read_paused:
        cycle.flow.resume_reading()
    return body

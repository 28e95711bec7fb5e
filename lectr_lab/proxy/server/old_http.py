"""Replies to who speaks HTTP/1.0, as nginx does where nobody told it otherwise."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from lectr_lab.proxy.server.unread import take_rest


def speak_old_http(cycle: RequestResponseCycle, linger: Callable[[], None]) -> None:
    """Answer a request in HTTP/1.0. `linger` closes the connection gently: with it the
    reply ends, and the request's body may not have been read."""
    cycle.send = _without_chunks(cycle)  # type: ignore[method-assign, assignment]
    transport = cycle.transport

    def close() -> None:
        (linger if cycle.more_body else transport.close)()

    cycle.transport = SimpleNamespace(  # type: ignore[assignment]
        write=transport.write, is_closing=transport.is_closing, close=close
    )


def _without_chunks(cycle: RequestResponseCycle) -> Callable[[Any], Awaitable[None]]:
    """It knows no chunks (RFC 9112, 6.1), and uvicorn sends them.

    A body of unknown length ends with the connection, then.
    """
    send, unframed = cycle.send, False

    async def send_on(message: Any) -> None:
        nonlocal unframed
        if message["type"] == "http.response.start":
            if cycle.more_body:
                await take_rest(cycle)
            names = {name.lower() for name, _ in message["headers"]}
            unframed = b"content-length" not in names
            cycle.chunked_encoding = False if unframed else None
        elif unframed:
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    return send_on

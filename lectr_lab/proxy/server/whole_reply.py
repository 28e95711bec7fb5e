"""A reply that is here whole, sent at once.

ASGI takes a head, pieces and an end: each is a message to check, and a write. Most
replies that are no streams come in one piece, and our server writes them in one. It
saves a tenth of a request's work; and there are clients that read an error's text only
where it comes with its head.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from lectr_lab.core.headers import RawHeaders
from lectr_lab.proxy.server.unread import take_rest


async def send_whole(
    send: Callable[[Any], Awaitable[None]],
    status: int,
    headers: RawHeaders,
    body: bytes,
) -> None:
    """Answer a request that was not answered yet.

    Args:
        send: ASGI's. uvicorn's is a method of the object that writes the reply; where it
            is not (another server, HTTP/1.0, HEAD), two messages say the same.
        status: 200 to 599.
        headers: names in lower case; without control characters; a length, where there
            is one, is the body's.
        body: all of it; not empty, where there is no length.
    """
    cycle = getattr(send, "__self__", None)
    if type(cycle) is not RequestResponseCycle or cycle.scope["method"] == "HEAD":
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})
        return
    if cycle.more_body:
        await take_rest(cycle)
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected:
        return
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(written(status, headers, body, cycle.keep_alive))
    cycle.message_event.set()
    if not cycle.keep_alive and not cycle.more_body:  # or the server lingers
        cycle.transport.close()
    cycle.on_response()


def in_one_write(
    send: Callable[[Any], Awaitable[None]],
) -> Callable[[Any], Awaitable[None]]:
    """ASGI's `send`, for an application whose replies are whole."""
    head: Any = None

    async def send_on(message: Any) -> None:
        nonlocal head
        if message["type"] == "http.response.start":
            head = message
        else:
            await send_whole(send, head["status"], head["headers"], message["body"])

    return send_on


def written(status: int, headers: RawHeaders, body: bytes, keep_alive: bool) -> bytes:
    """A reply as bytes, head and body; the headers' names are in lower case.

    >>> written(200, [(b"content-length", b"2")], b"ok", keep_alive=True)
    b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'
    """
    parts = [STATUS_LINE[status]]
    sized = False
    for name, value in headers:
        parts += (name, b": ", value, b"\r\n")
        if name == b"content-length":
            sized = True
    if not keep_alive:
        parts.append(b"connection: close\r\n")
    if not sized:
        framed = b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
        parts.append(framed % (len(body), body))
    else:
        parts += (b"\r\n", body)
    return b"".join(parts)

"""The tape as an ASGI application: finds the recording, plays it in its own time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from lectr_lab.core.errors import CassetteError
from lectr_lab.core.headers import PROVIDERS
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.match import EXACT, Matching, Tape

Scope: TypeAlias = Any  # ASGI's own dictionaries
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MISS_STATUS = 501


def create_tape(
    interactions: Iterable[Interaction],
    speed: float = 1.0,
    matching: Matching = EXACT,
) -> App:
    """The tape as an ASGI application.

    Args:
        interactions: what it can answer, in order.
        speed: 1 plays as fast as it was recorded, N does N times faster, 0 at once.
        matching: how alike a request and its recording must be.

    Raises:
        CassetteError: the speed is below 0.
    """
    if not speed >= 0:
        raise CassetteError(f"A tape's speed is 0 (at once) or more, not {speed}.")
    tape, s_per_ms = Tape(interactions, matching), 1 / speed / 1000 if speed else 0.0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        provider, _, path = scope["raw_path"].decode("latin-1")[1:].partition("/")
        if provider not in PROVIDERS:
            known = ", ".join(sorted(PROVIDERS))
            await _refuse(send, f"A path on the tape begins with a provider: {known}.")
            return
        query = scope["query_string"].decode("latin-1")
        url = f"http://tape/{path}?{query}"
        headers = scope["headers"]
        request = tape.request(scope["method"], url, headers, body, provider)
        recorded = tape.play(request)
        if recorded is None:
            await _refuse(send, tape.miss(request))
        else:
            await _play(recorded, s_per_ms, receive, send)

    return app


async def _body(receive: Receive) -> bytes | None:
    """The request's body; None where the client left before its end."""
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)
    return None


def miss(message: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The answer where there is no recording, in OpenAI's shape: body and headers."""
    error = {"message": message, "type": "tape_miss", "code": "no_recording"}
    body = json.dumps({"error": error}, ensure_ascii=False).encode("utf-8", "replace")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-should-retry", b"false"),  # SDKs would ask again; the tape has no more
    ]
    return body, headers


async def _refuse(send: Send, message: str) -> None:
    body, headers = miss(message)
    await send(
        {"type": "http.response.start", "status": MISS_STATUS, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})


async def _play(
    recorded: Interaction, s_per_ms: float, receive: Receive, send: Send
) -> None:
    """Send the answer in its own time, as far as it went, while the client listens."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    gone = asyncio.ensure_future(_until_gone(receive))

    async def wait_until(at_ms: float) -> bool:
        pause_s = began_s + at_ms * s_per_ms - loop.time()
        if s_per_ms and pause_s > 0:
            await asyncio.wait({gone}, timeout=pause_s)
        return not gone.done()

    try:
        await wait_until(recorded.head_ms)
        await send(
            {
                "type": "http.response.start",
                "status": recorded.status,
                "headers": recorded.response_headers,
            }
        )
        for chunk in recorded.chunks:
            if not await wait_until(chunk.at_ms):
                return
            await send(
                {"type": "http.response.body", "body": chunk.data, "more_body": True}
            )
        if recorded.ended == "complete":
            await send({"type": "http.response.body", "body": b""})
        # Otherwise no end is sent, and the server closes the connection abruptly.
    finally:
        gone.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""A request that is answered before its body is here.

What comes behind the answer is still that body, by the letter, and a client that never
sends it would see its next request taken for it. So a small body is waited for a moment,
and where it does not come whole the connection ends with the answer.
"""

import asyncio
import contextlib
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_SMALL_BYTES = 64 * 1024
_MOMENT_S = 0.05  # a stranger can hold a connection for it, and nobody takes it away


async def take_rest(cycle: RequestResponseCycle) -> None:
    """Read the rest of a request's body and throw it away, or see to it that the
    connection is closed after the answer."""
    # Who waits to be told to go on sends no body to whom is refused.
    if not cycle.waiting_for_100_continue and _is_small(cycle.scope):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MOMENT_S):
                while cycle.more_body and not cycle.disconnected:
                    cycle.body = bytearray()
                    cycle.flow.resume_reading()
                    await cycle.message_event.wait()
                    cycle.message_event.clear()
    cycle.keep_alive = cycle.keep_alive and not cycle.more_body


def _is_small(scope: Any) -> bool:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return bool(lengths) and int(lengths[0]) <= _SMALL_BYTES

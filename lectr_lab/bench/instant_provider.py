"""A provider that takes no time: a fixed chat reply of 1 KB, or a paced stream.

Run as a process of its own; its first line of output is its port. It ends with its
standard input. Each chunk of a stream says when it was sent, on a clock that all
processes of a machine share, so that whoever receives it knows how long it took.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from lectr_lab.bench.message import body_end

STREAM_MARK = b'"stream":true'
_STREAM = STREAM_MARK.partition(b":")[0]
CHUNKS = 10
CHUNK_EVERY_S = 0.003

_USAGE = {"prompt_tokens": 210, "completion_tokens": 120, "total_tokens": 330}
_SAID = "It takes about as long as a proxy lets it take. " * 14
_CHAT = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": _SAID},
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    }
).encode()
_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"x-request-id: req_bench\r\nContent-Length: %d\r\n\r\n" % len(_CHAT)
) + _CHAT
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":'
    b'1790000000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":'
    b'{"content":"t=%d;"},"finish_reason":null}]}\n\n'
)


class _Answering(asyncio.Protocol):
    """One connection: a request is answered when it is whole."""

    def __init__(self) -> None:
        self._received = b""
        self._streams: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        end = body_end(received)
        if end is None:
            return
        # Some gateways write the body anew, with other spaces.
        asks = _STREAM in received and STREAM_MARK in received.replace(b": ", b":")
        self._received = received[end:]
        if not asks:
            self._transport.write(_REPLY)
            return
        task = asyncio.get_running_loop().create_task(self._stream())
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _stream(self) -> None:
        self._transport.write(_STREAM_HEAD + _framed(_EVENT % time.monotonic_ns()))
        for _ in range(CHUNKS - 1):
            await asyncio.sleep(CHUNK_EVERY_S)
            if self._transport.is_closing():  # whoever asked has left
                return
            self._transport.write(_framed(_EVENT % time.monotonic_ns()))
        self._transport.write(_framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve())

"""The load: a process of its own that keeps connections busy and looks at the clock.

It takes one job a line of standard input, as JSON, and answers each with a line. Each
connection sends its next request when the reply to the last one is whole.
"""

import asyncio
import re
import sys
import time
from typing import cast

import msgspec
import uvloop

from lectr_lab.bench.instant_provider import STREAM_MARK
from lectr_lab.bench.message import body_end

_SENT_AT = re.compile(rb"t=(\d+);")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, over how many connections, until when.

    `request` is one HTTP request, head and body. It ends after `seconds`, or after
    `requests` where that is not 0.
    """

    port: int
    request: bytes
    connections: int
    seconds: float
    requests: int = 0


class Load(msgspec.Struct, kw_only=True):
    """What came back. Times in ms; `late_ms` is how long a stream's later chunks took
    from the provider."""

    replies: int = 0
    errors: int = 0
    elapsed_s: float = 0.0
    total_ms: list[float] = []
    first_byte_ms: list[float] = []
    late_ms: list[float] = []


class _Asking(asyncio.Protocol):
    """One connection."""

    def __init__(self, job: Job, load: Load, until_s: float) -> None:
        self._job, self._load, self._until_s = job, load, until_s
        self._is_streamed = STREAM_MARK in job.request
        self._received = b""
        self._seen_chunks = 0
        self._sent_s = 0.0
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._received, self._seen_chunks = b"", 0
        self._sent_s = time.perf_counter()
        self._transport.write(self._job.request)

    def data_received(self, data: bytes) -> None:
        now_s = time.perf_counter()
        if not self._received:
            self._load.first_byte_ms.append((now_s - self._sent_s) * 1000)
            self._received = data
        else:
            self._received += data
        if self._is_streamed:
            self._look_at_chunks(time.monotonic_ns())
        if body_end(self._received) is not None:
            self._whole(now_s)

    def _look_at_chunks(self, now_ns: int) -> None:
        sent_ns = _SENT_AT.findall(self._received)
        for at_ns in sent_ns[max(self._seen_chunks, 1) :]:  # the first is not late
            self._load.late_ms.append((now_ns - int(at_ns)) / 1e6)
        self._seen_chunks = len(sent_ns)

    def _whole(self, now_s: float) -> None:
        load, job = self._load, self._job
        load.total_ms.append((now_s - self._sent_s) * 1000)
        load.replies += 1
        load.errors += not self._received.startswith(b"HTTP/1.1 200")
        enough = load.replies >= job.requests if job.requests else False
        if enough or now_s >= self._until_s:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.over.done():
            if body_end(self._received) is None:
                self._load.errors += 1
            self.over.set_result(None)


async def send(job: Job) -> Load:
    """Do a job."""
    load, loop = Load(), asyncio.get_running_loop()
    started_s = time.perf_counter()
    until_s = started_s + job.seconds
    asking = []
    for _ in range(job.connections):
        _, protocol = await loop.create_connection(
            lambda: _Asking(job, load, until_s), "127.0.0.1", job.port
        )
        asking.append(protocol.over)
    await asyncio.wait(asking, timeout=job.seconds + 30)
    load.elapsed_s = time.perf_counter() - started_s
    return load


def _obey() -> None:
    # A buffer of our own: with PYTHONUNBUFFERED, Python's writes a part of what is more
    # than a pipe takes and drops the rest, and a job of seconds has megabytes to say.
    with open(sys.stdout.fileno(), "wb", closefd=False) as out:
        for line in sys.stdin.buffer:
            load = uvloop.run(send(msgspec.json.decode(line, type=Job)))
            out.write(msgspec.json.encode(load) + b"\n")
            out.flush()


if __name__ == "__main__":
    _obey()

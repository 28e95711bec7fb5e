"""Stands between a client and an S3 server on loopback, and does what networks do.

    python tests/faulty_store.py <upstream port> <seed> <share of faults>

Of that share of requests it refuses some (503), cuts some in half, and of others it loses
the reply after the server has done what it was asked, at once or after a while. It prints
its port, and at SIGTERM how many of each there were.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter

FAULTS = ("503", "cut", "stalled", "reply lost")
STALL_S = 1.5


async def main(upstream: int, seed: int, share: float) -> None:
    """Serve until SIGTERM."""
    rng, did = random.Random(seed), Counter[str]()
    server = await asyncio.start_server(
        lambda r, w: _serve(r, w, upstream, rng, share, did), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    print(json.dumps(did), flush=True)
    os._exit(0)  # whatever is on its way is cut


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream: int,
    rng: random.Random,
    share: float,
    did: Counter[str],
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while await _one(reader, writer, upstream, rng, share, did):
            pass
    writer.close()


async def _one(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream: int,
    rng: random.Random,
    share: float,
    did: Counter[str],
) -> bool:
    """One request; whether another may follow on the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length:")
    body = await reader.readexactly(int(rest.split(b"\r\n")[0]) if found else 0)
    fault = rng.choice(FAULTS) if rng.random() < share else "none"
    did[fault] += 1
    if fault == "503":
        writer.write(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return True
    theirs, sending = await asyncio.open_connection("127.0.0.1", upstream)
    head = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    whole = head + body
    sending.write(whole[: len(head) + len(body) // 2] if fault == "cut" else whole)
    await sending.drain()
    if fault == "cut":
        sending.close()
        return False
    reply = await theirs.read(-1)
    sending.close()
    if fault == "stalled":
        await asyncio.sleep(STALL_S)
    if fault in ("stalled", "reply lost"):
        return False
    writer.write(reply)
    await writer.drain()
    return b"connection: close" not in reply.partition(b"\r\n\r\n")[0].lower()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))

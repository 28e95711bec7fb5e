"""Ask through several workers while they are replaced again and again, and count what
failed: `python -m tests.benchmarks.restart_under_load [requests] [workers]`.

Half of the clients connect anew for each request, the others keep their connection until
they are told to close it, as HTTP/1.1 has it. Prints what failed, how often all workers
were replaced meanwhile, and whether the log has as many rows as there were replies.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from lectr_lab.bench.measure import helper
from lectr_lab.bench.message import body_end
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key

CLIENTS = 16
_PROMPT = [{"role": "user", "content": "How long does a proxy take? " * 30}]
_BODY = json.dumps({"model": "gpt-4o-mini", "messages": _PROMPT}).encode()
_SETTINGS = 'port = 0\nworkers = %d\n[providers.openai]\nbase_url = "%s"\n'


class Course:
    """One run: what was asked and what came of it."""

    def __init__(self, port: int, key: str, requests: int) -> None:
        self.port, self.left = port, requests
        self.failed: Counter[str] = Counter()
        self.replies: Counter[bool] = Counter()  # by whether the connection was kept
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"X-Lectr-Key: {key}\r\nAuthorization: Bearer sk-test\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
        )
        self._request = head.encode() + _BODY

    async def client(self, *, keeps: bool) -> None:
        """Ask until enough was asked."""
        streams = None
        while self.left > 0:
            self.left -= 1
            try:
                if streams is None:
                    streams = await asyncio.open_connection("127.0.0.1", self.port)
                reply = await self._ask(*streams)
            except (OSError, EOFError, TimeoutError) as error:
                self.failed[f"{type(error).__name__}, kept={keeps}"] += 1
                reply = b"connection: close"
            else:
                self.replies[keeps] += 1
                if not reply.startswith(b"HTTP/1.1 200"):
                    self.failed[reply[:12].decode("latin-1")] += 1
            closes = b"connection: close" in reply.partition(b"\r\n\r\n")[0].lower()
            if streams is not None and (closes or not keeps or self.left <= 0):
                streams[1].close()
                with suppress(OSError):
                    await streams[1].wait_closed()
                streams = None

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        writer.write(self._request)
        received = b""
        async with asyncio.timeout(60):
            while body_end(received) is None:
                piece = await reader.read(65536)
                if not piece:
                    raise EOFError
                received += piece
        return received


async def restart(pid: int, course: Course, every_s: float) -> int:
    """Order it again and again; how often."""
    orders = 0
    while course.left > 0:
        await asyncio.sleep(every_s)
        os.kill(pid, signal.SIGUSR2)
        orders += 1
    return orders


def rows(lab: Path) -> int:
    """How many the log has."""
    from lectr_lab.log.scan import scan

    with suppress(FileNotFoundError):
        return int(scan(lab).select("event_id").collect().height)
    return 0


def served(folder: Path) -> "subprocess.Popen[str]":
    """`lectr-lab serve` by the lectr.toml of a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "serve"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )


async def run(
    folder: Path, requests: int, workers: int, every_s: float = 6.0
) -> tuple[Course, int, int]:
    """A course with all that belongs to it, how often was restarted, and the rows.

    Args:
        folder: for the lab.
        requests: how many.
        workers: at the port.
        every_s: between two orders to replace them.
    """
    _, key = create_key(LabFolder.create(folder / "lab"), "acme")
    with helper("instant_provider") as provider:
        assert provider.stdout is not None
        url = f"http://127.0.0.1:{int(provider.stdout.readline())}/v1"
        (folder / "lectr.toml").write_text(_SETTINGS % (workers, url))
        proxy = served(folder)
        assert proxy.stdout is not None
        try:
            said = re.search(r"http://127.0.0.1:(\d+)", proxy.stdout.readline())
            assert said, "it did not start"
            course = Course(int(said[1]), key, requests)
            asking = [course.client(keeps=i % 2 == 0) for i in range(CLIENTS)]
            orders, *_ = await asyncio.gather(
                restart(proxy.pid, course, every_s), *asking
            )
        finally:
            proxy.send_signal(signal.SIGTERM)
            proxy.communicate(timeout=60)
    return course, orders, rows(folder / "lab")


def main() -> None:
    """Run it, and say how it went."""
    given = [int(text) for text in sys.argv[1:3]]
    requests, workers = [*given, *[100_000, 2][len(given) :]]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        course, orders, logged = asyncio.run(run(Path(folder), requests, workers))
    replies = sum(course.replies.values())
    print(f"{replies:,} replies in {time.monotonic() - began_s:.0f} s, {logged:,} rows")
    kept = course.replies[True]
    print(f"  on kept connections {kept:,}, on one each {replies - kept:,}")
    print(f"{orders} restarts of {workers} workers")
    print(f"failed: {sum(course.failed.values())} {dict(course.failed)}")


if __name__ == "__main__":
    main()

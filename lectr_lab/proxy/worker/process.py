"""A worker as the proxy sees it: asked from the event loop, which never waits for it.

Decoding JSON and counting tokens hold the interpreter's lock, so a thread would not do.
The process is started when it is first asked; one that takes too long is killed and the
next begun. Whatever happens to it, the answer is then None.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lectr_lab.proxy.worker.jobs import Job, decoded, receive, send_job

_START_S = 10.0  # until a new process says that it is there; it takes 0.2 s


class Worker:
    """One process, which does one job at a time.

    Args:
        job_s: how long it may take for one.
    """

    def __init__(self, job_s: float) -> None:
        self._job_s = job_s
        self._process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        # Sending and waiting let go of the interpreter's lock.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lectr-worker")

    async def ask(
        self, job: Job, texts: list[bytes], kind: Any, within_s: float
    ) -> Any:
        """A job's answer.

        Args:
            job: what to do.
            texts: what it is about.
            kind: the answer's type, as `jobs` names it.
            within_s: seconds until nobody waits for it any more.

        Returns:
            None where there is none by then.
        """
        loop = asyncio.get_running_loop()
        try:
            asking = loop.run_in_executor(self._thread, self._ask, job, texts)
            async with asyncio.timeout(within_s):
                answer = await asking
            return decoded(answer, kind) if answer else None
        except Exception:  # noqa: BLE001 - an answer is never worth a request
            return None

    async def stop(self) -> None:
        """End the process, if there is one. Nobody may ask any more."""
        self._kill()  # whoever waits for it is told at once
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._close()

    def _ask(self, job: Job, texts: list[bytes]) -> bytes | None:
        try:
            sock = self._sock or self._start()
            sock.settimeout(self._job_s)
            send_job(sock, job, texts)
            answer = receive(sock)
        except OSError:  # it is gone, or takes too long, or cannot begin
            answer = None
        if answer is None:
            self._close()
        return answer

    def _start(self) -> socket.socket:
        ours, its = socket.socketpair()
        ours.settimeout(_START_S)
        self._sock = ours
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lectr_lab.proxy.worker.serve"],
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the proxy, which then stops it
            )
        if receive(ours) is None:
            raise OSError("it did not begin")
        return ours

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    def _close(self) -> None:
        self._kill()
        if self._sock is not None:
            self._sock.close()
        if self._process is not None:
            self._process.wait()
        self._sock = self._process = None

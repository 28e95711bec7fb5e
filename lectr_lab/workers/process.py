"""One worker, as its parent sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from lectr_lab.core.errors import ProxyError
from lectr_lab.launch import Order, Started
from lectr_lab.proxy.server.worker import RETIRE
from lectr_lab.proxy.shared.line import Line
from lectr_lab.proxy.shared.messages import ToParent, ToWorker

_STARTS_WITHIN_S = 120.0
_SILENT_END = "A worker ended before it listened: what it printed says why."


class WorkerProcess:
    """A process that answers at one place of the port.

    Args:
        told: called with it and each message that it says.
        first: called once a request has passed it.
    """

    def __init__(
        self,
        told: Callable[["WorkerProcess", ToParent], object],
        first: Callable[[], object],
    ) -> None:
        self.slot = -1
        self.started_at = ""
        self._told, self._first = told, first
        self._line = Line(ToParent, lambda message: self._told(self, message))
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.retired = False

    async def start(self, order: Order, listening: list[int], memory: int) -> str:
        """Begin it, and wait until it answers.

        Args:
            order: what it is to do; the files of its `worker` are filled in here.
            listening: the sockets of all places.
            memory: what all workers share.

        Returns:
            Where it listens.

        Raises:
            ProxyError: it does not, and why.
        """
        assert order.worker is not None
        self.slot = order.worker.slot
        ours, its = socket.socketpair()
        with its:
            files = [*dict.fromkeys(listening), its.fileno(), memory]
            worker = msgspec.structs.replace(
                order.worker,
                listening=tuple(listening),
                line=its.fileno(),
                memory=memory,
            )
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "lectr_lab.launch",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=files,
                start_new_session=True,  # Ctrl-C is for the parent, which tells it
            )
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self._line, sock=ours)
        assert self._process.stdin is not None
        ordered = msgspec.structs.replace(order, worker=worker)
        self._process.stdin.write(msgspec.json.encode(ordered) + b"\n")
        started = await self._heard(_STARTS_WITHIN_S)
        if started is None or not started.base_url:
            self.kill()
            await self._process.wait()
            raise ProxyError(started.error if started else _SILENT_END)
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._reading = asyncio.create_task(self._read())
        return started.base_url

    @property
    def pid(self) -> int:
        """Of the process; 0 before there is one."""
        return self._process.pid if self._process else 0

    def say(self, message: ToWorker, within_s: float = 0.0) -> bool:
        """Tell it something, so soon; False where it will not hear."""
        return self._line.say(message, within_s)

    def retire(self) -> None:
        """Have it take no more connections, and end with the last one."""
        self.retired = True
        self._signal(RETIRE)

    def stop(self) -> None:
        """Have it finish what runs, and end."""
        self._signal(signal.SIGTERM)

    def break_off(self) -> None:
        """Where it is stopping: have it finish nothing more."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it now."""
        self._signal(signal.SIGKILL)

    async def ended(self) -> int:
        """How it ended, once it has: its exit code; of a signal, its negative number."""
        assert self._process is not None
        code = await self._process.wait()
        if self._reading is not None:
            await self._reading
        self._line.close()
        return code

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    async def _heard(self, within_s: float | None = None) -> Started | None:
        """Its next line; None where there is none."""
        assert self._process is not None and self._process.stdout is not None
        line: Any = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                line = await self._process.stdout.readline()
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(line, type=Started) if line else None
        return None

    async def _read(self) -> None:
        while (told := await self._heard()) is not None:
            if told.first:
                self._first()

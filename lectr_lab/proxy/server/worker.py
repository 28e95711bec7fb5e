"""One of several processes that answer at one port.

Each has a listening socket of its own place, which their parent holds open: what waits
there when a process ends is answered by the next one. One that retires takes no more
connections, tells its clients to connect anew, and ends with the last of them.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import uvicorn

from lectr_lab.config.settings import Settings
from lectr_lab.proxy.server.run import Server, crowd_of, prepared
from lectr_lab.proxy.shared.port import Port, WorkerOrder

RETIRE = signal.SIGUSR1


def run_worker(
    app: Any,
    sock: socket.socket,
    order: WorkerOrder,
    port: Port,
    on_started: Callable[[], None],
    settings: Settings,
) -> None:
    """Serve until SIGINT or SIGTERM, which break off after half a minute, or until it is
    told to retire (SIGUSR1) and the last connection has ended.

    Args:
        app: what answers.
        sock: of its own place; it listens.
        order: names those of all places.
        port: says when another's place is without a process.
        on_started: called once it answers.
        settings: its own; what it is served with, and by what bounds.

    Raises:
        ConfigError: the certificate or its key cannot be used.
    """
    config = prepared(app, settings.tls, settings.limits)
    server = WorkerServer(config, on_started, settings.drain_s, order.listening, port)
    server.run(sockets=[sock])


class WorkerServer(Server):
    """A server that can retire, and stand in for another."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        drain_s: float,
        listening: Sequence[int],
        port: Port,
    ) -> None:
        super().__init__(config, on_started, drain_s)
        self._listening, self._port = listening, port
        self._standing_in: dict[int, asyncio.Task[asyncio.Server]] = {}
        self._retires = self._told_to_stop = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """It begins."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(RETIRE, self.retire)
        self._port.take = self._take
        await super().startup(sockets=sockets)

    def retire(self) -> None:
        """Take no more connections, and end with the last one."""
        self._retires = True
        for slot in list(self._standing_in):
            self._take(slot, also=False)
        for server in self.servers:
            server.close()
        crowd_of(self.config).retiring = True
        for connection in list(self.server_state.connections):
            connection.retire()  # type: ignore[union-attr]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop: its parent may say it after another did, such as systemd."""
        if sig != signal.SIGTERM or not self._told_to_stop:
            self._told_to_stop |= sig == signal.SIGTERM
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop now."""
        state = self.server_state
        if self._retires and not state.connections and not state.tasks:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """It ends."""
        for slot in list(self._standing_in):
            self._take(slot, also=False)
        await super().shutdown(sockets)

    def _take(self, slot: int, also: bool) -> None:
        task = self._standing_in.pop(slot, None)
        if task is not None:
            task.add_done_callback(_close)
        if also and not self._retires:
            self._standing_in[slot] = asyncio.create_task(self._stand_in(slot))

    async def _stand_in(self, slot: int) -> asyncio.Server:
        sock = socket.socket(fileno=os.dup(self._listening[slot]))
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            self._protocol, sock=sock, ssl=self.config.ssl, backlog=self.config.backlog
        )

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one for each connection."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )


def _close(task: "asyncio.Task[asyncio.Server]") -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()

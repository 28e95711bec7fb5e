"""The tape: a provider on a loopback port that answers from recordings.

Every provider has a base URL of its own on it, `http://127.0.0.1:<port>/<provider>`,
behind which its own paths follow: `/openai/v1/chat/completions`,
`/groq/openai/v1/chat/completions`. What was not recorded is answered with an error
that says so; nothing here can reach a network.
"""

import asyncio
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import uvicorn

from lectr_lab.core.errors import CassetteError
from lectr_lab.tape.asgi import App, create_tape
from lectr_lab.tape.cassette import Interaction, read_cassettes
from lectr_lab.tape.match import EXACT, Matching

Paths: TypeAlias = Path | str | Iterable[Path | str]
_STARTED_WITHIN_S = 30.0
_SILENT = 60  # uvicorn logs an error for each reply that is cut off, as recorded
_SHUTDOWN_S = 1  # a client that has not hung up by then is cut off


class TapeServer:
    """A tape that plays on a port of its own, from a thread.

    Args:
        recordings: a cassette, a folder of them, several, or interactions.
        speed: 1 plays as fast as it was recorded, N does N times faster, 0 at once.
        matching: how alike a request and its recording must be.

    Raises:
        CassetteError: a cassette is missing or cannot be used, before anything runs.

    >>> with TapeServer([], speed=0) as tape:
    ...     tape.base_url("groq").endswith("/groq")
    True
    """

    def __init__(
        self,
        recordings: Paths | Iterable[Interaction],
        speed: float = 1.0,
        matching: Matching = EXACT,
    ) -> None:
        tape = create_tape(_interactions(recordings), speed, matching)
        self._serving = _serving(tape)
        self.port = 0  # from `with` on, where it listens

    def base_url(self, provider: str) -> str:
        """Where a provider is played, without the provider's own path (`/v1`)."""
        return f"http://127.0.0.1:{self.port}/{provider}"

    def __enter__(self) -> Self:
        self.port = self._serving.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._serving.__exit__(exc_type, exc, traceback)


@contextmanager
def _serving(app: App) -> Iterator[int]:
    """Serve from a thread; yields the port and stops at the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as sock:
        server = _Server(_config(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
        thread.start()
        try:
            if not server.listening.wait(_STARTED_WITHIN_S):
                raise CassetteError("The tape's server did not start.")
            yield sock.getsockname()[1]
        finally:
            server.stop()
            thread.join()


class _Server(uvicorn.Server):
    """uvicorn's server, told to stop by an event: it looks ten times a second else."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    async def main_loop(self) -> None:
        stop = asyncio.Event()
        self._running = asyncio.get_running_loop(), stop
        self.listening.set()
        await stop.wait()

    def stop(self) -> None:
        if self._running is not None:
            loop, stop = self._running
            loop.call_soon_threadsafe(stop.set)


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        server_header=False,
        date_header=False,
        access_log=False,
        log_config=None,
        log_level=_SILENT,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


def _interactions(
    recordings: Paths | Iterable[Interaction],
) -> tuple[Interaction, ...]:
    if isinstance(recordings, str | Path):
        return read_cassettes(recordings)
    return tuple(
        one
        for entry in recordings
        for one in (
            [entry] if isinstance(entry, Interaction) else read_cassettes(entry)
        )
    )

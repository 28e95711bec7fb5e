"""Run the application on a socket: blocking, or in a thread (tests, recording)."""

import contextlib
import gc
import logging
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.config.settings import Tls
from lectr_lab.core.errors import ConfigError, ProxyError
from lectr_lab.proxy.server.crowd import Crowd
from lectr_lab.proxy.server.reader import Reader

_SHUTDOWN_S = 30
_GC_ALLOCATIONS = 50_000
_MOST_FILES = 65_536
_USUAL = LimitSettings()


def open_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; port 0 is any free one.

    Args:
        host: where.
        port: the same.
        shared: others of this user's may listen there too, if they share it as well.

    Raises:
        ProxyError: the port is taken or not allowed, with what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
        sock.listen(2048)
    except OSError as error:
        sock.close()
        reason = error.strerror or "the address is not valid"
        raise ProxyError(
            f"Cannot listen on {host}:{port}: {reason}. "
            "Another program may be using it. --port 0 (port=0 in Python) is any free one."
        ) from None
    return sock


def run(
    app: Any,
    sock: socket.socket,
    on_started: Callable[[], None] = lambda: None,
    tls: Tls | None = None,
    limits: LimitSettings = _USUAL,
    drain_s: float = 0.0,
) -> None:
    """Serve until SIGINT, SIGTERM or the end of its terminal (SIGHUP, unless it is
    ignored, as by nohup); running requests are finished first.

    Args:
        app: what answers; told that it drains, where it has a `readiness`.
        sock: listens already.
        on_started: called once the application serves.
        tls: the certificate to serve with.
        limits: of every client.
        drain_s: how long it goes on taking requests after the first signal, not ready:
            by then who shares them out sends them elsewhere. A second signal ends that.

    Raises:
        ConfigError: the certificate or its key cannot be used.
    """
    config = prepared(app, tls, limits)
    Server(config, on_started, drain_s).run(sockets=[sock])


def prepared(app: Any, tls: Tls | None, limits: LimitSettings) -> uvicorn.Config:
    """What a server is made of, and this process made ready to be one.

    Raises:
        ConfigError: the certificate or its key cannot be used.
    """
    _allow_many_connections()
    config = _config(app, tls, limits)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    # What is loaded by now stays: the collector need not look at it again, and as a
    # request leaves no cycles behind, it need not look every few requests.
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, *gc.get_threshold()[1:])
    return config


def _allow_many_connections() -> None:
    """Raise the limit on open files as far as one may: a request takes two.

    Shells set it to 1,024 (macOS: 256), which 210 streams at once have used up; beyond
    it requests are refused. It is that low for programs that use select(), as none of
    ours does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (_MOST_FILES, hard, 10_240):  # the last is what macOS calls unlimited
        if soft != resource.RLIM_INFINITY and wanted > soft:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                return


@contextmanager
def in_thread(
    app: Any,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: Tls | None = None,
    limits: LimitSettings = _USUAL,
) -> Iterator[str]:
    """Serve from a thread; yields `http://host:port` and stops cleanly at the end."""
    config = _config(app, tls, limits)
    sock = open_socket(host, port)
    started = threading.Event()
    server = Server(config, started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        if not started.wait(timeout=30) or not thread.is_alive():
            raise ProxyError("The proxy did not start within 30 seconds.")
        scheme = "https" if tls else "http"
        yield f"{scheme}://{host}:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Server(uvicorn.Server):
    """uvicorn's server that says when it listens, and when it is to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        drain_s: float = 0.0,
    ) -> None:
        super().__init__(config)
        self._on_started, self._drain_s = on_started, drain_s
        self._readiness = getattr(config.app, "readiness", None)
        self._ends_s: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Not ready from the first signal on; the end comes `drain_s` after it. A second
        interrupt breaks off what runs: that is logged, and the log sealed."""
        if self.should_exit and sig == signal.SIGINT:
            self._break_off()
            return
        if self._readiness is not None:
            self._readiness.drain()
        if self._drain_s and self._ends_s is None:
            self._ends_s = time.monotonic() + self._drain_s
            self._captured_signals.append(sig)
        else:
            super().handle_exit(sig, frame)

    def _break_off(self) -> None:
        """uvicorn would wait for open connections, and then not end the application."""
        tasks = self.server_state.tasks
        for task in tasks:
            task.add_done_callback(tasks.discard)  # one that has not begun, too
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop now."""
        if self._ends_s is not None and time.monotonic() >= self._ends_s:
            self.should_exit = True
        return await super().on_tick(counter)


def _config(app: Any, tls: Tls | None, limits: LimitSettings) -> uvicorn.Config:
    # uvicorn's log would print request lines, and an error line for each stream that is
    # cut off on purpose. What went wrong is on the event.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    config = uvicorn.Config(
        app,
        http=partial(Reader, Crowd(limits)),  # type: ignore[arg-type] # it is called
        loop="uvloop",
        ws="none",
        lifespan="on",
        interface="asgi3",
        server_header=False,
        date_header=False,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    try:
        config.load()
    except OSError as error:  # ssl's errors are of this kind
        raise ConfigError(_unusable(tls, error)) from None
    return config


def crowd_of(config: uvicorn.Config) -> Crowd:
    """The connections of whoever serves with it."""
    made: Any = config.http_protocol_class
    crowd: Crowd = made.args[0]
    return crowd


def _unusable(tls: Tls | None, error: OSError) -> str:
    reason = error.strerror if error.filename or not error.args else error.args[-1]
    return (
        f"The certificate cannot be used: {reason}. tls_cert ({tls and tls.cert}) and "
        f"tls_key ({tls and tls.key}) must be PEM files that belong together; the key "
        "must have no password."
    )

"""A running proxy: the tape in it where there is one, and the recorder.

The proxy and the tape do not know each other; here they are put together. `run` serves
in this process. `Child` is the same in one of its own, told what to do by a line of JSON
on its standard input; that pipe's end is the order to stop: it cannot outlive its parent.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import Engine
from lectr_lab.core.errors import LabError, ProxyError
from lectr_lab.core.event import Event
from lectr_lab.core.keys import KeyEntry, KeyTable, digest, new_key
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import KeyFile
from lectr_lab.log.serving import said
from lectr_lab.programs.tally import Passed, Tally
from lectr_lab.proxy.clock import Clock
from lectr_lab.proxy.observers.observer import Observer
from lectr_lab.proxy.shared.port import Port, WorkerOrder
from lectr_lab.proxy.stderr import muted, say
from lectr_lab.proxy.systemd import notify
from lectr_lab.reading import Reading, keyed_hash

if TYPE_CHECKING:  # who only starts a child need not load the server
    from litestar import Litestar

TAPE = "tape:"
_STOPPED_WITHIN_S = 40.0
_SILENT_END = "The proxy ended before it listened: what it printed says why."
_SESSION_SALT = b"session"  # on no disk, so nothing to tell apart


class Session(msgspec.Struct, frozen=True):
    """A key that lives as long as a process: handed over a pipe, on no disk."""

    key: str = msgspec.field(default_factory=lambda: new_key(secrets.token_bytes(24)))
    org: str = "local"
    feature: str | None = None  # of requests that name none

    def __repr__(self) -> str:
        return f"Session(key='lc_key_…', org={self.org!r})"

    def keys(self) -> KeyTable:
        """This key alone, as a proxy asks for it."""
        entry = KeyEntry(
            key_id="session",
            org=self.org,
            digest=digest(self.key, _SESSION_SALT),
            created_at=datetime.now(UTC),
            feature=self.feature,
        )
        return KeyTable([entry], _SESSION_SALT)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a proxy is told: settings, and what is not kept in a file.

    `record` names the cassette to write; `tape_speed` is how many times faster than
    recorded a tape plays, 0 for at once. `tally`: say at the end what passed. `worker`:
    it is one of several at a port that their parent holds.
    """

    settings: Settings
    session: Session | None = None
    record: str | None = None
    tape_speed: float = 1.0
    tally: bool = False
    worker: WorkerOrder | None = None


class Started(msgspec.Struct):
    """A child's first line: where it listens, or why it does not. A worker's second is
    that the first request has passed it."""

    base_url: str = ""
    error: str = ""
    first: bool = False


def run(
    order: Order,
    on_started: Callable[[str], None],
    on_first: Callable[[Event], None] | None = None,
    engine: Engine | None = None,
    also: Sequence[Observer] = (),
    reread: Callable[[], Settings] | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP.

    Args:
        order: what to run.
        on_started: told the base URL (`http://host:port`, or https) once it listens.
        on_first: told the first event, from another thread.
        engine: asked in the place of what the settings name.
        also: what else looks at requests that pass.
        reread: reads the settings again, at SIGUSR2.

    Raises:
        LabError: the host, port, certificate, lab folder or tape cannot be used.
    """
    from lectr_lab.proxy.server.run import run as serve
    from lectr_lab.proxy.server.worker import run_worker

    settings = order.settings
    settings.check_bind()
    port = Port(order.worker) if order.worker else None
    with (
        _listening(order) as sock,
        _recorder(order.record, settings.record.secrets) as tee,
    ):
        if settings.upstream and settings.upstream.startswith(TAPE):
            reread = reread and partial(_on_this_tape, reread, settings.upstream)
            settings, engine = _on_tape(settings, settings.upstream, order.tape_speed)
        instance = order.worker.instance if order.worker else secrets.token_hex(16)
        app = build(
            settings,
            order.session,
            on_first,
            tee,
            engine=engine,
            also=also,
            instance=instance,
            reread=reread,
            port=port,
        )
        base_url = settings.base_url(sock.getsockname()[1])
        limits = settings.limits
        if port and order.worker:
            started = partial(on_started, base_url)
            run_worker(app, sock, order.worker, port, started, settings)
            return
        with said(LabFolder(Path(settings.lab)), base_url, instance):
            serve(
                app,
                sock,
                lambda: _listens(base_url, on_started),
                settings.tls,
                limits,
                settings.drain_s,
            )


def _listening(order: Order) -> socket.socket:
    """A socket of its own, or the one that a worker was given."""
    from lectr_lab.proxy.server.run import open_socket

    worker, settings = order.worker, order.settings
    if worker is None:
        return open_socket(settings.host, settings.port)
    return socket.socket(fileno=worker.listening[worker.slot])


def build(
    settings: Settings,
    session: Session | None = None,
    on_first: Callable[[Event], None] | None = None,
    tee: Callable[[Engine], Engine] | None = None,
    clock: Clock | None = None,
    engine: Engine | None = None,
    also: Sequence[Observer] = (),
    instance: str = "",
    reread: Callable[[], Settings] | None = None,
    port: Port | None = None,
) -> "Litestar":
    """The proxy as an ASGI application with its log, ready to be served.

    Args:
        settings: as read; where a tape is the engine, `played_by` it.
        session: a key beside those in the lab folder.
        on_first: told the first event, from another thread.
        tee: wraps the engine, to record what passes below the proxy.
        clock: what events are timed by; None: the machine's.
        engine: asked in the place of the providers; None: they are asked.
        also: what else looks at requests that pass.
        instance: what /health calls this process.
        reread: reads the settings again, at SIGUSR2; None: the signal is not obeyed.
        port: the other workers of this one's port; None: there are none.

    Raises:
        LabError: the lab folder, a key or the admin secret cannot be used.
    """
    from lectr_lab.proxy.admin import Admin
    from lectr_lab.proxy.admin_secret import read_admin_secret
    from lectr_lab.proxy.app import create_app
    from lectr_lab.proxy.observers.outbox import Outbox

    secret = read_admin_secret(os.environ)
    lab = LabFolder.create(Path(settings.lab))
    keep = settings.keep_request_ids
    outbox = Outbox(lab, settings.queue_events, on_first, keep_request_ids=keep)
    keys, admin = KeyFile(lab), Admin(lab, secret) if secret else None
    find_key = _find_key(keys, session)
    hashes, unhashed = keyed_hash(lab)

    def warnings() -> list[str]:
        # A session has its key, and needs none of the file.
        return [*(keys.warnings() if session is None else []), *unhashed]

    def why_not_ready() -> Iterator[str]:
        if unreadable := keys.unreadable():
            yield unreadable
        if outbox.stuck:
            yield "the log cannot be written, and events wait in memory"

    reading = Reading(lab, hashes)
    made = reading.first(settings)
    for one in [*warnings(), *made.warnings]:
        say(one, code="start", level="warning")
    return create_app(
        settings,
        outbox,
        find_key,
        tee,
        admin,
        clock,
        made.router,
        warnings=warnings,
        engine=engine,
        also=also,
        instance=instance,
        keyed_hash=hashes,
        budgets=made.budgets,
        not_followed=made.warnings,
        why_not_ready=why_not_ready,
        reread=partial(reading.again, reread) if reread else None,
        port=port,
    )


class Child:
    """A proxy in a process of its own. Stops with `stop`, or with this process."""

    def __init__(self, order: Order) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lectr_lab.launch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A kernel's interrupt is for the cell, not for the proxy.
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        self._stdin = self._process.stdin
        self._stdin.write(msgspec.json.encode(order) + b"\n")
        self._stdin.flush()
        self._tally = order.tally
        self.passed = Passed()  # from the end on, where a tally was ordered
        line = self._process.stdout.readline()
        started = msgspec.json.decode(line, type=Started) if line else Started()
        self.base_url = started.base_url
        if not started.base_url:
            self.stop()
            raise ProxyError(started.error or _SILENT_END)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """The process is running."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Let running requests end, write and seal the log, then end. Idempotent."""
        if self._stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._process.stdin = None
        try:
            said, _ = self._process.communicate(timeout=_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            said, _ = self._process.communicate()
        if self._tally:
            with contextlib.suppress(msgspec.DecodeError):  # it was killed
                self.passed = msgspec.json.decode(said, type=Passed)


def _find_key(
    keys: KeyFile, session: Session | None
) -> Callable[[str], KeyEntry | None]:
    """The session's key and those of the lab folder, which may change meanwhile."""
    own = session.keys() if session else KeyTable((), _SESSION_SALT)

    def find(key: str) -> KeyEntry | None:
        return (
            own.find(key)
            or keys.table(time.monotonic()).find(key)
            or keys.find_new(key)
        )

    return find


def _on_tape(
    settings: Settings, upstream: str, speed: float
) -> tuple[Settings, Engine]:
    """The settings with `upstream = "tape:…"` made real, and what plays it."""
    from lectr_lab.tape.cassette import read_cassettes
    from lectr_lab.tape.engine import TapeEngine, played_by
    from lectr_lab.tape.match import Tape

    tape = Tape(read_cassettes(upstream.removeprefix(TAPE)))
    return played_by(settings), TapeEngine(tape, speed)


def _on_this_tape(reread: Callable[[], Settings], upstream: str) -> Settings:
    """Settings read again, for the tape that plays."""
    from lectr_lab.tape.engine import played_by

    return played_by(msgspec.structs.replace(reread(), upstream=upstream))


def _listens(base_url: str, on_started: Callable[[str], None]) -> None:
    on_started(base_url)
    notify("READY=1")


@contextlib.contextmanager
def _recorder(
    path: str | None, secrets: Sequence[str]
) -> Iterator[Callable[[Engine], Engine] | None]:
    """What records below the proxy; where anything passed, the cassette is written at
    the end."""
    if path is None:
        yield None
        return
    from lectr_lab.tape.record import Recorder

    recorder = Recorder(Path(path), secrets)
    try:
        yield recorder.wrap
    finally:
        reasons = recorder.save().reasons if recorder.passed else {}
        for reason, calls in reasons.items():
            say(f"{calls} not recorded: {reason}", code="not_recorded", level="warning")


def _obey() -> None:
    """A child's life: read the order, run it, stop when the pipe ends."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    if order.worker is None:
        # Nobody shares out requests to a child: its parent waits for its end.
        at_once = msgspec.structs.replace(order.settings, drain_s=0.0)
        order = msgspec.structs.replace(order, settings=at_once)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The server passes the signal on when it has served: a cassette is still to be written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    tally = Tally()
    also = [tally] if order.tally else []
    say_again = muted() if order.worker and order.worker.quiet else tuple

    def started(base_url: str) -> None:
        say_again()
        _say(Started(base_url=base_url))

    on_first = (lambda _: _say(Started(first=True))) if order.worker else None
    try:
        run(order, started, on_first, also=also)
    except LabError as error:
        _say(Started(error=str(error)))
        sys.exit(2)
    finally:
        if order.tally:
            _say(tally.passed)


def _say(word: msgspec.Struct) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):  # unbuffered: no lock is left at exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _obey()

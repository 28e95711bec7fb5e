"""The parent of several workers: starts them, replaces them, and ends with them.

It holds their sockets and answers nobody. SIGINT, SIGTERM and the end of its terminal
stop all; SIGUSR2 replaces them one after another, by the settings as they are then: the
new one answers before the old one takes no more, and that one ends with its last
connection.
"""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError, LabError, ProxyError
from lectr_lab.launch import TAPE, Order
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.serving import said
from lectr_lab.proxy.shared.failures import open_memory
from lectr_lab.proxy.shared.messages import (
    HealthTold,
    HealthWanted,
    Look,
    Take,
    ToParent,
)
from lectr_lab.proxy.shared.port import WorkerOrder
from lectr_lab.proxy.stderr import say
from lectr_lab.proxy.systemd import notify, reloading
from lectr_lab.workers.gathered import Gathering
from lectr_lab.workers.prefixes import Prefixes
from lectr_lab.workers.process import WorkerProcess
from lectr_lab.workers.shares import share_of
from lectr_lab.workers.sockets import places

RESTART = signal.SIGUSR2
_STOPS_WITHIN_S = 40.0
_AT_ONCE_S = 5.0  # who ends sooner than that is not replaced at once
_LONGEST_WAIT_S = 30.0
_TOGETHER_S = 0.001  # answers that are ready at one time
_AT_START = ("host", "port", "lab", "workers")


def supervise(
    settings: Settings,
    on_started: Callable[[str], None],
    on_first: Callable[[], None] = lambda: None,
    reread: Callable[[], Settings] | None = None,
) -> None:
    """Serve with `settings.workers` processes until SIGINT, SIGTERM or SIGHUP.

    Args:
        settings: of the proxy; its bounds are those of all workers together.
        on_started: told the base URL once all of them answer.
        on_first: called once, when the first request has passed.
        reread: the settings as they are now, for SIGUSR2; None: as they were.

    Raises:
        LabError: the host, port, certificate or lab folder cannot be used.
        KeyboardInterrupt: it was stopped by SIGINT.
    """
    settings.check_bind()
    if settings.upstream and settings.upstream.startswith(TAPE):
        raise ConfigError(
            "A tape is played by one process: leave out --workers, or workers in "
            "lectr.toml, or name another upstream."
        )
    lab = LabFolder.create(Path(settings.lab))
    with places(settings.host, settings.port, settings.workers) as sockets:
        base_url = settings.base_url(sockets[0].getsockname()[1])
        port = Supervisor(
            settings,
            [sock.fileno() for sock in sockets],
            reread or (lambda: settings),
            on_first,
        )
        with said(lab, base_url, port.instance):
            stopped_by = asyncio.run(port.run(partial(on_started, base_url)))
    if stopped_by == signal.SIGINT:
        raise KeyboardInterrupt


class Supervisor:
    """The workers of one port.

    Args:
        settings: of the proxy.
        listening: a socket for each worker.
        reread: the settings as they are now.
        on_first: called when the first request has passed.
    """

    def __init__(
        self,
        settings: Settings,
        listening: list[int],
        reread: Callable[[], Settings],
        on_first: Callable[[], None],
    ) -> None:
        self.instance = secrets.token_hex(16)
        self._settings, self._listening = settings, listening
        self._reread, self._on_first = reread, on_first
        self._key, self._memory = secrets.token_bytes(32), open_memory()
        self._places: list[WorkerProcess | None] = [None] * settings.workers
        self._all: set[WorkerProcess] = set()  # those that retire among them
        self._prefixes, self._gathering = Prefixes(), Gathering()
        self._tasks: set[asyncio.Task[None]] = set()
        self._restarts = 0
        self._restarting = asyncio.Lock()
        self._stop: asyncio.Future[signal.Signals]

    async def run(self, on_started: Callable[[], None]) -> signal.Signals:
        """Until a signal says so; which one it was.

        Raises:
            ProxyError: a worker does not start.
        """
        loop = asyncio.get_running_loop()
        self._stop = loop.create_future()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, self._told_to_stop, number)
        loop.add_signal_handler(RESTART, self._begin, self._restart)
        try:
            starting = asyncio.create_task(self._start_all())
            either: set[asyncio.Future[Any]] = {starting, self._stop}
            await asyncio.wait(either, return_when="FIRST_COMPLETED")
            if starting.done():
                await starting
                on_started()
                notify("READY=1")
            else:
                starting.cancel()
            return await self._stop
        finally:
            await self._end()

    def _told_to_stop(self, number: signal.Signals) -> None:
        if not self._stop.done():
            self._stop.set_result(number)
        elif number == signal.SIGINT:  # once more
            for worker in self._all:
                worker.break_off()

    async def _start_all(self) -> None:
        """One first: it says what is wrong for all of them."""
        await self._start(0, quiet=False)
        others = range(1, len(self._places))
        await asyncio.gather(*(self._start(slot) for slot in others))

    async def _start(self, slot: int, *, quiet: bool = True) -> None:
        """A new worker at a place; an old one there retires.

        Raises:
            ProxyError: it does not start; the old one stays.
        """
        worker = WorkerProcess(self._told, self._first)
        order = Order(
            settings=share_of(self._settings, slot),
            worker=WorkerOrder(
                instance=self.instance,
                slot=slot,
                listening=(),
                line=-1,
                memory=-1,
                key=self._key,
                quiet=quiet,
            ),
        )
        self._all.add(worker)
        try:
            await worker.start(order, self._listening, self._memory)
        except BaseException:
            worker.kill()
            self._all.discard(worker)
            raise
        before, self._places[slot] = self._places[slot], worker
        if before is not None:
            before.retire()
        self._stand_in(worker)
        self._begin(partial(self._watch, worker))

    def _stand_in(self, new: WorkerProcess) -> None:
        """The others leave its place to it, and it helps where one is empty."""
        for worker in self._places:
            if worker not in (None, new):
                worker.say(Take(new.slot, also=False))
        for slot, worker in enumerate(self._places):
            if worker is None:
                new.say(Take(slot, also=True))

    async def _watch(self, worker: WorkerProcess) -> None:
        """Until it ends; where it should not have, another takes its place."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        code = await worker.ended()
        self._all.discard(worker)
        if worker.retired or self._stop.done():
            return
        self._places[worker.slot] = None
        for other in self._places:
            if other is not None:
                other.say(Take(worker.slot, also=True))
        self._restarts += 1
        await self._replace(worker, code, loop.time() - began_s)

    async def _replace(self, gone: WorkerProcess, code: int, lived_s: float) -> None:
        wait_s = 0.0 if lived_s >= _AT_ONCE_S else 1.0
        why = f"{_how(code)}"
        while not self._stop.done():
            after = f" in {wait_s:.0f} s" if wait_s else ""
            line = f"worker {gone.pid} {why}; another takes its place{after}."
            say(line, code="worker_ended", level="warning")
            await asyncio.sleep(wait_s)
            if self._stop.done() or self._places[gone.slot] is not None:
                return
            try:
                await self._start(gone.slot)
            except ProxyError as error:
                why = f"ended, and the next did not start ({error})"
                wait_s = min(max(1.0, 2 * wait_s), _LONGEST_WAIT_S)
            else:
                return

    async def _restart(self) -> None:
        """Replace all of them, one after another; at the first that does not start, the
        others stay."""
        async with self._restarting:
            notify(reloading())
            try:
                self._settings = _changed(self._settings, self._reread())
                for slot in range(len(self._places)):
                    if self._stop.done():
                        return
                    await self._start(slot, quiet=slot > 0)
            except LabError as error:
                if self._stop.done():  # which ended the new one as well
                    return
                line = f"not restarted: {error} The workers that serve go on as before."
                say(line, code="not_restarted", level="error")
            else:
                say(f"all {len(self._places)} workers were replaced.", code="restarted")
            finally:
                notify("READY=1")

    async def _end(self) -> None:
        """All finish what runs; who takes too long for it is ended."""
        workers = [worker for worker in self._all if worker.pid]
        for worker in workers:
            worker.stop()
        ends = [asyncio.create_task(worker.ended()) for worker in workers]
        if ends:
            within_s = _STOPS_WITHIN_S + self._settings.drain_s
            _, late = await asyncio.wait(ends, timeout=within_s)
            if late:
                for worker in workers:
                    worker.kill()
                await asyncio.wait(late, timeout=_AT_ONCE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            os.close(self._memory)

    def _told(self, worker: WorkerProcess, message: ToParent) -> None:
        if isinstance(message, Look):
            self._prefixes.look(message, partial(worker.say, within_s=_TOGETHER_S))
        elif isinstance(message, HealthTold):
            self._gathering.told(worker, message)
        elif isinstance(message, HealthWanted):
            started = [one for one in self._all if one.started_at]
            started.sort(key=lambda one: (one.retired, one.slot))
            held_bytes = self._prefixes.held_bytes
            self._gathering.begin(
                worker, message.number, started, self._restarts, held_bytes
            )

    def _first(self) -> None:
        self._on_first()
        self._on_first = lambda: None

    def _begin(self, what: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(what())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _changed(before: Settings, now: Settings) -> Settings:
    """The settings as they are now, but for what is settled at the start."""
    kept = {name: getattr(before, name) for name in _AT_START}
    other = [name for name in _AT_START if getattr(now, name) != kept[name]]
    if other:
        say(
            f"{', '.join(other)} stay as they are: stop the proxy and start it to change."
        )
    return msgspec.structs.replace(now, **kept)


def _how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

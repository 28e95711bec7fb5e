"""Processes beside a proxy: started with it, minded, told its settings, ended with it.

Each is told what to do by a line of JSON on its standard input; that pipe's end is the
order to stop, so it cannot outlive the process that started it. One that dies is started
again, after ever longer waits; one that cannot do what it is told says so and ends, and
is started again when the settings are read again.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from lectr_lab.config.reread import as_reread
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import LabError
from lectr_lab.proxy.stderr import say

TOLD = 2  # an exit code: it has said what is wrong
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_LOOK_S = 0.5
_STOPPED_WITHIN_S = 10.0
_NICE = 10  # after whatever serves requests

Work = Callable[[Settings, threading.Event], None]


class Beside:
    """One such process, or none where the settings do not ask for it."""

    def __init__(self, module: str, asks: Callable[[Settings], bool]) -> None:
        self._module, self._asks = module, asks
        self._settings: Settings | None = None
        self._told = threading.Event()
        self._over = False
        self._minding = threading.Thread(target=self._mind, daemon=True)

    def obey(self, settings: Settings) -> None:
        """From now on it goes by these. Returns at once."""
        self._settings = settings if self._asks(settings) else None
        self._told.set()

    def start(self) -> None:
        """Begin to mind it."""
        self._minding.start()

    def end(self) -> None:
        """Stop it, and wait until it has ended."""
        self._over = True
        self._told.set()
        self._minding.join()

    def _mind(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._over:
            self._told.clear()
            settings, begun_s = self._settings, time.monotonic()
            code = None if settings is None else self._lived(settings)
            if settings is None or code == TOLD:
                self._pause(math.inf)
            elif code is not None:
                lasted = time.monotonic() - begun_s > _LONGEST_WAIT_S
                wait_s = _FIRST_WAIT_S if lasted else wait_s
                self._pause(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _lived(self, settings: Settings) -> int | None:
        """How it ended by itself; None where it was ended, to go by other settings."""
        process = _started(self._module, settings)
        while (code := process.poll()) is None and not self._pause(_LOOK_S):
            pass
        _end(process)
        return code

    def _pause(self, seconds: float) -> bool:
        """Wait, unless it is to go by other settings or to end; whether it is."""
        until_s = time.monotonic() + seconds
        while not (self._over or self._told.is_set()):
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            self._told.wait(min(left_s, _LOOK_S))
        return True


@contextlib.contextmanager
def beside(
    module: str, settings: Settings, asks: Callable[[Settings], bool]
) -> Iterator[Beside]:
    """While this holds, a process of this module does what the settings ask for.

    Args:
        module: calls `obey` where it is run.
        settings: those of the proxy, until `Beside.obey` names others.
        asks: whether settings ask for this one.
    """
    one = Beside(module, asks)
    one.obey(settings)
    one.start()
    try:
        yield one
    finally:
        one.end()


def read_and_tell(
    read: Callable[[], Settings], first: Settings, some: Iterable[Beside]
) -> Settings:
    """The settings as they are now, told to what runs beside as far as it can follow.

    Args:
        read: reads them.
        first: those that the proxy was started with.
        some: what runs beside it.

    Raises:
        ConfigError: they cannot be read; nobody is told then.
    """
    new = read()
    followed, _ = as_reread(new, first)
    for one in some:
        one.obey(followed)
    return new


def obey(name: str, work: Work) -> int:
    """The life of such a process; its exit code.

    Args:
        name: what it does, for what it says.
        work: does it, until the event is set. May raise LabError: what is asked for
            cannot be done.
    """
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    settings = msgspec.json.decode(line, type=Settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    stop = threading.Event()
    threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    try:
        work(settings, stop)
    except LabError as error:
        say(f"{name}: {error}", code=name, level="error")
        return TOLD
    return 0


def _started(module: str, settings: Settings) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        start_new_session=True,  # an interrupt is for the proxy, which ends this one
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(settings) + b"\n")
        process.stdin.flush()
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()
    # Whatever it does by then, such as a long look or an upload, it does no longer.
    threading.Timer(
        _STOPPED_WITHIN_S / 2, os.kill, (os.getpid(), signal.SIGTERM)
    ).start()

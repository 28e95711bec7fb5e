"""A watcher in a process of its own, beside a proxy: it ends with it.

It is told what to do by a line of JSON on its standard input; that pipe's end is the
order to stop, so it cannot outlive the process that started it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import LabError, MissingExtra
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.stderr import say

_STOPPED_WITHIN_S = 10.0
_NICE = 10  # after whatever serves requests


@contextlib.contextmanager
def watched(settings: Settings) -> Iterator[None]:
    """While this holds, a process looks at the lab, where `[watch]` asks for it."""
    if settings.watch is None:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.watching"],
        stdin=subprocess.PIPE,
        start_new_session=True,  # an interrupt is for the proxy, which ends this one
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(settings) + b"\n")
        process.stdin.flush()
    try:
        yield
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def obey() -> int:
    """The life of that process; its exit code."""
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
        watch_lab(settings, stop)
    except LabError as error:
        say(f"watch: {error}", code="watch", level="error")
        return 2
    return 0


def watch_lab(settings: Settings, stop: threading.Event) -> None:
    """Watch the lab of the settings until it is to stop.

    Raises:
        LabError: what `[watch]` asks for cannot be done.
    """
    lab = LabFolder.create(Path(settings.lab))
    try:
        from lectr_lab.watching.loop import watch
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error
    from lectr_lab.watching.sinks import sinks

    watch(lab, settings, sinks(settings, os.environ, stop.wait), stop.wait)


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()
    # Whatever it does by then, such as a long look, it does no longer.
    threading.Timer(
        _STOPPED_WITHIN_S / 2, os.kill, (os.getpid(), signal.SIGTERM)
    ).start()

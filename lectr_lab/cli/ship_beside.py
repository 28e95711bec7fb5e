"""A shipper in a process of its own, beside a proxy: `shipped` starts it.

It is told what to do by a line of JSON on its standard input; that pipe's end is the
order to stop, so that it ends with the proxy. One that dies is started again; one that
cannot do what it is told says so and ends.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from lectr_lab.cli.ship_counts import count_some
from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import LabError, MissingExtra
from lectr_lab.log.folder import LabFolder
from lectr_lab.proxy.stderr import say

AGAIN_AFTER_S = 10.0
_STOPPED_WITHIN_S = 10.0
_NICE = 10  # after whatever serves requests
_TOLD = 2


@contextlib.contextmanager
def shipped(settings: Settings) -> Iterator[None]:
    """While this holds, a process ships the lab, where `[ship]` asks for it."""
    if settings.ship is None:
        yield
        return
    stop = threading.Event()
    processes = [_start(settings)]
    minding = threading.Thread(
        target=_mind, args=(settings, processes, stop), daemon=True
    )
    minding.start()
    try:
        yield
    finally:
        stop.set()
        minding.join()
        _end(processes[-1])


def _start(settings: Settings) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli.ship_beside"],
        stdin=subprocess.PIPE,
        start_new_session=True,  # an interrupt is for the proxy, which ends this one
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(settings) + b"\n")
        process.stdin.flush()
    return process


def _mind(
    settings: Settings,
    processes: "list[subprocess.Popen[bytes]]",
    stop: threading.Event,
) -> None:
    """Start another where one has died, but not where it said what is wrong."""
    while not stop.wait(AGAIN_AFTER_S):
        code = processes[-1].poll()
        if code == _TOLD:
            return
        if code is not None:
            _end(processes[-1])
            processes.append(_start(settings))


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
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
        ship_lab(settings, stop)
    except LabError as error:
        say(f"ship: {error}", code="ship", level="error")
        return _TOLD
    return 0


def ship_lab(settings: Settings, stop: threading.Event) -> None:
    """Ship the lab of the settings until it is to stop.

    Raises:
        LabError: what `[ship]` asks for cannot be done.
    """
    asked = settings.ship
    if asked is None:
        return
    try:
        from lectr_lab.shipping.places import place
        from lectr_lab.shipping.ship import begin, keep_shipping
        from lectr_lab.shipping.stores import opened
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name) from error
    lab = LabFolder.create(Path(settings.lab))
    where = place(asked.to, os.environ, instance_credentials=asked.instance_credentials)
    begin(lab, where.url)
    keep = settings.keep_request_ids
    store = opened(where)
    keep_shipping(
        lab,
        store,
        asked,
        stop.wait,
        _complain,
        keep_request_ids=keep,
        count=partial(count_some, store),
    )


def _complain(text: str) -> None:
    say(text, code="ship", level="warning")


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()
    # Whatever it does by then, such as a long upload, it does no longer.
    threading.Timer(
        _STOPPED_WITHIN_S / 2, os.kill, (os.getpid(), signal.SIGTERM)
    ).start()


if __name__ == "__main__":
    sys.exit(obey())

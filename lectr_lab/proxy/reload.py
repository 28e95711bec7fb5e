"""lectr.toml read again at a signal, between two requests: SIGUSR2, or `systemctl reload`.

(SIGHUP means that the terminal is gone.) What cannot be followed changes nothing.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any, Protocol

from lectr_lab.core.errors import LabError
from lectr_lab.proxy.service import Made, Service
from lectr_lab.proxy.stderr import say
from lectr_lab.proxy.systemd import notify, reloading

SIGNAL = signal.SIGUSR2
_FAULT = (
    "The settings could not be read again: those read before stay. The program's output "
    "says why."
)
_STAY = "The settings read before stay."


class Reloadable(Protocol):
    """What goes on while its settings change."""

    service: Service

    def follow(self, made: Made) -> None:
        """Put what was read in force."""


class Reload:
    """Reads settings again, one reading at a time.

    Args:
        reread: reads them outside of the event loop, given what is in force.
        proxy: whose settings they are.
    """

    def __init__(self, reread: Callable[[Made], Made], proxy: "Reloadable") -> None:
        self._reread, self._proxy = reread, proxy
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()
        self.count = self.failed = 0
        self._is_well = True

    async def now(self) -> None:
        """Read them, and put them in force; where that cannot be, say why."""
        async with self._turn:
            notify(reloading())
            try:
                made = await asyncio.to_thread(self._reread, self._proxy.service.made)
                self._proxy.follow(made)
            except LabError as error:
                self._stay(str(error))
            except Exception as error:  # noqa: BLE001 - whatever is wrong: serving goes on
                self._stay(f"The settings cannot be read: {type(error).__name__}.")
            else:
                self.count, self._is_well = self.count + 1, True
                say(made.said, code="settings_read")
            notify("READY=1")

    def listen(self) -> None:
        """Obey the signal from now on. Call it inside the event loop."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(SIGNAL, self._begin)

    async def stop(self) -> None:
        """Obey it no more."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            loop.remove_signal_handler(SIGNAL)
            with contextlib.suppress(ValueError, OSError):
                signal.signal(SIGNAL, signal.SIG_IGN)  # it would end the process
        await asyncio.gather(*self._running, return_exceptions=True)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        told = {"reloaded": self.count, "failed": self.failed}
        return {"settings": told, "warnings": [] if self._is_well else [_FAULT]}

    def _begin(self) -> None:
        task = asyncio.create_task(self.now())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _stay(self, why: str) -> None:
        self.failed, self._is_well = self.failed + 1, False
        say(f"{why}\n{_STAY}", code="settings_unread", level="error")

"""Waits that are all as long as one another: one timer for them, as most are over soon.

`asyncio.timeout` makes a timer for each, and looks up its task twice: a fortieth of all
our work on a request.
"""

import asyncio
from typing import Any, Self


class Waits:
    """All that wait, in the order that they began to.

    Args:
        most_s: how long each may.
    """

    def __init__(self, most_s: float) -> None:
        self.most_s = most_s
        self.running: dict[Wait, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, wait: "Wait") -> None:
        """One more waits."""
        loop = asyncio.get_running_loop()
        wait.until_s = loop.time() + self.most_s
        self.running[wait] = None
        if self._timer is None:
            self._timer = loop.call_later(self.most_s, self._look)

    def _look(self) -> None:
        """End those that wait for too long; look again when the next one would."""
        loop = asyncio.get_running_loop()
        self._timer = None
        for wait in list(self.running):
            if wait.until_s > loop.time():
                self._timer = loop.call_at(wait.until_s, self._look)
                return
            wait.end()


class Wait:
    """A part of a task that may take so long, as a context. Raises TimeoutError."""

    __slots__ = ("_ended", "_task", "_waits", "until_s")

    def __init__(self, waits: Waits, task: asyncio.Task[Any]) -> None:
        self._waits, self._task, self._ended = waits, task, False
        self.until_s = 0.0

    def __enter__(self) -> Self:
        self._waits.begin(self)
        return self

    def end(self) -> None:
        """It took too long."""
        self._waits.running.pop(self)
        self._ended = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._ended:
            del self._waits.running[self]
        # Whoever else cancelled the task besides is to be heard.
        elif self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError

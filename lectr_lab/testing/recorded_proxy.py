"""A proxy that runs in this process with a cassette behind it, as a test sees it.

It is asked inside a user's test, where clocks stand still, sockets are shut, `sleep` does
nothing and HTTP libraries answer for others. So nothing here reads a clock, asks over
HTTP, or imports what `figures` has not.
"""

import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from lectr_lab.clients import Clients, environment
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.record import Saved
from lectr_lab.testing.figures import Figures

_LOOKS, _BETWEEN_S = 1000, 0.005

_Serve = Callable[[Any, Any, Any], Awaitable[None]]


class Box:
    """The log of a test: in memory, so that nothing waits for a disk."""

    name, active = "log", True

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.played: list[Interaction] = []
        self._requests = 0  # at work
        self._begun: set[bytes] = set()  # whose event is not there yet

    @property
    def busy(self) -> bool:
        """An event is still to come."""
        return bool(self._requests or self._begun)

    def counting(self, serve: _Serve) -> _Serve:
        """An ASGI application whose requests are known while they run."""

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return await serve(scope, receive, send)
            self._requests += 1
            try:
                await serve(scope, receive, send)
            finally:
                self._requests -= 1

        return counted

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """Its event will come: once its tokens are counted, where it does not say."""
        self._begun.add(exchange.event_id)

    def ended(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)
        self._begun.discard(event.event_id)

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return {"events": {"received": len(self.events)}}

    def start(self) -> None:
        """Nothing to start."""

    stop = start


class RecordedProxy(Clients):
    """A running proxy with a cassette behind it. `record` and `replay` make it."""

    def __init__(
        self,
        base_url: str,
        key: str,
        box: Box,
        figures: Figures,
        *,
        prices: Any,
        live: bool,
    ) -> None:
        super().__init__(base_url, key, live=live)
        self._box, self._figures, self._prices = box, figures, prices
        self.live = live
        self._made = contextlib.ExitStack()
        self.saved: Saved | None = None  # from the end on, where something was written

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point stock SDKs here. The key is in the address as well: the
        SDKs of a year ago read no variable for headers."""
        keyed = f"{self._root}/key/{self.key[:]}"
        return environment(keyed, self.key[:], os.environ, live=self._live)

    def _client(self, sdk: str, kind: str, *named: Any) -> Any:
        client = super()._client(sdk, kind, *named)
        if not kind.startswith("Async"):
            self._made.callback(client.close)
        return client

    def close_clients(self) -> None:
        """Close what `openai` and the others made. Idempotent."""
        self._made.close()

    def events(self) -> Any:
        """What the proxy logged so far, priced: a polars DataFrame, oldest first.

        Raises:
            MissingExtra: the prices are not installed.
        """
        self._until_idle()
        return self._figures.priced(list(self._box.events), self._prices)

    def assert_budget(self, **limits: Any) -> None:
        """Hold the calls so far to a budget; see `lectr_lab.assert_budget`.

        Raises:
            AssertionError: a limit is not kept; or a time is limited, and what was
                played has no recorded times.
            MissingExtra: the prices are not installed.
        """
        timed = {"p95_ms", "ttft_p95_ms"} & {n for n, v in limits.items() if v}
        untimed = [one for one in self._box.played if one.timing is None]
        if timed and untimed:
            one = untimed[0]
            raise AssertionError(
                f"{one.file} #{one.number} was recorded without times (it has no side "
                f"file), so {min(timed)} cannot be checked. Record it with lectr-lab."
            )
        self._figures.assert_budget(self.events(), **limits)

    def _until_idle(self) -> None:
        """An event is there a moment after the client has the reply's last byte."""
        pause = threading.Event()
        for _ in range(_LOOKS):  # a stream that the test still holds open is left out
            if not self._box.busy:
                return
            pause.wait(_BETWEEN_S)

    def __repr__(self) -> str:
        return f"<lectr_lab proxy with a cassette: {self.base_url}>"

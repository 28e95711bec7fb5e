"""A proxy that runs in this process with a cassette behind it, as a test sees it."""

import contextlib
import time
from typing import Any

import httpx

from lectr_lab.clients import Clients
from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.record import Saved

_ENDED_WITHIN_S = 5.0


class Box:
    """The log of a test: in memory, so that nothing waits for a disk."""

    name, active = "log", True

    def __init__(self, prices: Any = None) -> None:
        self.prices = prices  # a file of them
        self.events: list[Event] = []
        self.played: list[Interaction] = []
        self.ended = self.events.append

    def begin(self, exchange: Exchange, body: memoryview) -> None:
        """A test looks at what is over."""

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health."""
        return {"events": {"received": len(self.events)}}

    def start(self) -> None:
        """Nothing to start."""

    stop = start


class RecordedProxy(Clients):
    """A running proxy with a cassette behind it. `record` and `replay` make it."""

    def __init__(self, base_url: str, key: str, box: Box, *, live: bool) -> None:
        super().__init__(base_url, key, live=live)
        self._box, self.live = box, live
        self._made = contextlib.ExitStack()
        self.saved: Saved | None = None  # from the end on, where something was written

    def _client(self, sdk: str, kind: str, *named: Any) -> Any:
        client = super()._client(sdk, kind, *named)
        if not kind.startswith("Async"):
            self._made.callback(client.close)
        return client

    def close_clients(self) -> None:
        """Close what `openai` and the others made. Idempotent."""
        self._made.close()

    def events(self) -> Any:
        """What the proxy logged so far, priced: a polars DataFrame, oldest first."""
        from lectr_lab.analysis.pricing.price_file import read_prices
        from lectr_lab.analysis.pricing.priced import priced
        from lectr_lab.log.schema import frame

        self._until_idle()
        own = read_prices(self._box.prices) if self._box.prices else ()
        log = frame(list(self._box.events)).lazy()
        return priced(log, own).sort("started_at", maintain_order=True).collect()

    def assert_budget(self, **limits: Any) -> None:
        """Hold the calls so far to a budget; see `lectr_lab.assert_budget`.

        Raises:
            AssertionError: a limit is not kept; or a time is limited, and what was
                played has no recorded times.
        """
        from lectr_lab.testing.budget import assert_budget

        timed = {"p95_ms", "ttft_p95_ms"} & {n for n, v in limits.items() if v}
        untimed = [one for one in self._box.played if one.timing is None]
        if timed and untimed:
            one = untimed[0]
            raise AssertionError(
                f"{one.file} #{one.number} was recorded without times (it has no side "
                f"file), so {min(timed)} cannot be checked. Record it with lectr-lab."
            )
        assert_budget(self.events(), **limits)

    def _until_idle(self) -> None:
        """An event is there a moment after the client has the reply's last byte."""
        until_s = time.monotonic() + _ENDED_WITHIN_S
        with httpx.Client(trust_env=False) as client:
            while _busy(client.get(f"{self._root}/health").json()):
                if time.monotonic() > until_s:  # a stream the test still holds open
                    return
                time.sleep(0.005)

    def __repr__(self) -> str:
        return f"<lectr_lab proxy with a cassette: {self.base_url}>"


def _busy(health: dict[str, Any]) -> bool:
    return bool(health["in_flight"] or health["counting"])

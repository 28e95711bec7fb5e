"""The door for cells: start a proxy, get clients for it, look at what passed.

The proxy runs in a process of its own, so a heavy cell does not slow it, and it ends
with the kernel. Its key is made here, handed over a pipe, and part of no output.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from lectr_lab.clients import Clients
from lectr_lab.config.settings import DEFAULT_PORT, REPLAY_LAB, Settings, settings_here
from lectr_lab.core.errors import ProxyError
from lectr_lab.core.masked_key import Key, ShyKey
from lectr_lab.core.routing.rules_file import RULES_FILE
from lectr_lab.launch import TAPE, Child, Order, Session
from lectr_lab.notebook.card import State, as_html, as_text
from lectr_lab.notebook.live_output import display_and_follow
from lectr_lab.notebook.tracebacks import mask_tracebacks

_MOST_WRITING_S, _LOOK_AGAIN_S = 1.0, 0.01

# A cell that runs again finds the proxy that it started before. One per lab folder.
_RUNNING: dict[str, "Proxy"] = {}


class Proxy(Clients):
    """A running proxy. `start` makes it; show it in a cell to see what to do next."""

    def __init__(self, order: Order) -> None:
        assert order.session is not None
        self._child = Child(order)
        super().__init__(self._child.base_url, ShyKey(order.session.key))
        self._order = order
        self.lab = Path(order.settings.lab).resolve()
        self._http = httpx.Client(timeout=5, trust_env=False)
        self._output: Any = None
        self._stopped = False

    def runs(self, order: Order) -> bool:
        """It is running, and was started with the same wishes (and another key)."""
        mine = msgspec.structs.replace(self._order, session=None)
        return self.running and mine == msgspec.structs.replace(order, session=None)

    @property
    def running(self) -> bool:
        """The proxy's process is there, and was not told to stop."""
        return not self._stopped and self._child.alive

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point the OpenAI, Anthropic and Groq SDKs of a program here.

        `os.environ |= proxy.environment` does so for every program that this notebook
        starts from then on; keys in it show themselves masked.
        """
        return {name: Key(value) for name, value in super().environment.items()}

    def scan(self) -> Any:
        """The log so far, priced: a polars LazyFrame. What was answered is in it."""
        from lectr_lab.notebook.views import scan

        self._let_it_write()
        return scan(self.lab)

    def _let_it_write(self) -> None:
        """A request is written a moment after its answer; a cell can ask sooner."""
        until_s = time.monotonic() + _MOST_WRITING_S
        with contextlib.suppress(ProxyError, httpx.HTTPError):
            while self.health()["queue_depth"] and time.monotonic() < until_s:
                time.sleep(_LOOK_AGAIN_S)

    def tail(self, requests: int = 10) -> Any:
        """The last requests, newest first; `.frame` has them as a polars DataFrame."""
        from lectr_lab.tables import table

        columns = ["started_at", "feature", "task", "model_actual", "cost_usd"]
        columns += ["status", "outcome", "total_ms", "ttft_ms"]
        columns += ["input_tokens", "output_tokens"]
        newest = self.scan().sort("started_at", descending=True)
        return table(newest.select(columns).head(requests))

    def health(self) -> dict[str, Any]:
        """What the proxy says of itself: requests, queue, dropped events.

        Raises:
            ProxyError: it is not running.
        """
        if not self.running:
            raise ProxyError("This proxy has stopped. `lectr.start()` starts another.")
        report: dict[str, Any] = self._http.get(f"{self._root}/health").json()
        return report

    def budgets(self) -> Any:
        """How each budget of lectr.toml stands: `.frame` has it as a polars DataFrame."""
        from lectr_lab.budgets.frame import notes, state_frame
        from lectr_lab.budgets.of_lab import states_of
        from lectr_lab.tables import table

        states = states_of(self.lab, self._order.settings.budgets)
        return table(state_frame(states), "Budgets", note=" ".join(notes(states)))

    def stop(self) -> None:
        """Finish running requests, seal the log, end. The log stays. Idempotent."""
        self._stopped = True
        self._child.stop()
        self._http.close()
        _RUNNING.pop(str(self.lab), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return as_text(State(self.base_url, self.lab, {} if self.running else None))

    def _repr_html_(self) -> str:
        return as_html(self._state())

    def _ipython_display_(self) -> None:
        # The newest display of a proxy is the one that follows it.
        self._output = display_and_follow(
            self, lambda output: self.running and output is self._output
        )

    def _state(self) -> State:
        try:
            health = self.health() if self.running else None
        except httpx.HTTPError:
            health = {}
        return State(self.base_url, self.lab, health)


def running() -> list[Proxy]:
    """The proxies that this kernel runs, the newest last."""
    return [proxy for proxy in _RUNNING.values() if proxy.running]


def start(
    lab: str | Path | None = None,
    *,
    upstream: str | None = None,
    port: int | None = None,
    record: str | Path | None = None,
    speed: float = 1.0,
) -> Proxy:
    """Start a proxy in a process of its own, or find the one this kernel runs already.

    Args:
        lab: the folder of its log; `./lab`, or what `./lectr.toml` says; `./replay-lab`
            where the upstream is a tape.
        upstream: one place for every provider's traffic: the base URL of a local
            server, or `tape:<cassette or folder>` to replay recorded traffic.
        port: where it listens; a free one unless lectr.toml names one.
        record: write what passes to this cassette.
        speed: how many times faster than recorded a tape plays; 0: at once.

    Returns:
        The proxy, listening.

    Raises:
        ConfigError: lectr.toml cannot be followed.
        ProxyError: it could not start; the message says why.
    """
    mask_tracebacks()
    settings = _settings(lab, upstream, port)
    running = _RUNNING.get(settings.lab)
    order = Order(
        settings=settings,
        session=Session(),
        record=str(record) if record else None,
        tape_speed=speed,
    )
    if running is not None and running.runs(order):
        return running
    if running is not None:
        running.stop()
    proxy = _RUNNING[settings.lab] = Proxy(order)
    return proxy


def _settings(
    lab: str | Path | None, upstream: str | None, port: int | None
) -> Settings:
    """lectr.toml where there is one, and what the cell says; any free port else."""
    if lab is None and upstream is not None and upstream.startswith(TAPE):
        lab = REPLAY_LAB
    wishes = {"LECTR_LAB": lab, "LECTR_UPSTREAM": upstream, "LECTR_PORT": port}
    variables = {name: str(wish) for name, wish in wishes.items() if wish is not None}
    settings = settings_here(os.environ | variables)
    changes: dict[str, Any] = {"lab": str(Path(settings.lab).resolve())}
    changes["rules"] = settings.rules or str(Path(RULES_FILE).resolve())
    if port is None and settings.port == DEFAULT_PORT:
        changes["port"] = 0
    return msgspec.structs.replace(settings, **changes)

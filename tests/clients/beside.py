"""One run of a client through the proxy, and its control straight at the provider."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from clients.fake_provider import FakeProvider, Seen
from clients.tap import Tap
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.scan import scan

FEATURE = "clients-suite"
_RUN_S = 240  # a busy machine's time: an end is all that is asked for
_BASE_URLS = {
    "openai": "/openai/v1",
    "anthropic": "/anthropic/v1",
    "groq": "/groq/openai/v1",
    "gemini": "/gemini/v1beta/openai",
}
_VENDORS = frozenset(_BASE_URLS)
# Of this hop alone, or what says how long a body is, which varies with what is in it.
_HOP = {"host", "connection", "content-length"}
# What a client draws anew in each run: ids, times, how long a tool took.
_DRAWN = [
    re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(rb"\b[0-9a-f]{64}\b"),
    re.compile(rb'(?<="create_time": )[0-9.]+'),
    re.compile(rb"(?<=_unix_ms)\W+\d+"),
    re.compile(rb"(?<=duration_ms)\W+\d+"),
    re.compile(rb"(?<=Chunk ID: )[0-9a-f]+"),
    re.compile(rb"(?<=Wall time: )[0-9.]+"),
    re.compile(rb"\ba[0-9a-f]{16}\b"),  # agents of Claude Code
    re.compile(rb"\bses_[0-9A-Za-z]{26}\b"),  # opencode
    # the fake's own, in their order of arrival
    re.compile(rb"\b(msg|resp|fc|call|toolu)_\d{8}\b"),
]


class Door(NamedTuple):
    """Where a client asks, and what it says of us: nothing, straight at the provider."""

    anthropic: str  # base URL without `/v1`
    openai: str  # base URL with `/v1`
    groq: str  # base URL without `/openai/v1`
    gemini: str  # base URL without `/v1beta`
    headers: dict[str, str]
    elsewhere: str  # an HTTP proxy that lets nobody go anywhere


class Start(NamedTuple):
    """How a client is started."""

    command: list[str]
    environment: dict[str, str]


Client = Callable[[Door, Path], Start]  # the folder is its home


class Run(NamedTuple):
    """How a client ended, what it said, and what providers saw."""

    exit_code: int
    text: str  # standard output
    said: str  # standard error
    seen: list[Seen]
    strangers: list[str]

    @property
    def calls(self) -> list[Seen]:
        """What reached vendors of ours, but for what the proxy declines."""
        return [s for s in self.seen if s.vendor in _VENDORS and not s.is_declined]

    @property
    def alike(self) -> list[str]:
        """What was posted, as it is alike from run to run; sorted, for some leave at
        once. A list of models is fetched once or twice, as a client's threads race."""
        return sorted(_alike(call) for call in self.calls if call.method == "POST")


class Passed(NamedTuple):
    """A run through the proxy: what was sent to it, its events, and whom it refused."""

    run: Run
    sent: list[Seen]
    events: list[dict[str, Any]]
    unknown_callers: int

    @property
    def calls(self) -> list[Seen]:
        """What providers were asked."""
        return self.run.calls


def directly(client: Client, folder: Path) -> Run:
    """A client's run straight at the provider: the control."""
    with FakeProvider() as fake:
        vendors = ("anthropic", "openai/v1", "groq", "gemini")
        door = Door(*(f"{fake.url}/{v}" for v in vendors), {}, fake.url)
        return _run(client, door, folder, fake, "direct")


def through(
    client: Client,
    folder: Path,
    key: str | None = None,
    budget: tuple[BudgetSettings, ...] = (),
) -> Passed:
    """The same through a proxy of its own, in a home that looks the same.

    Args:
        client: what is started.
        folder: for its home and the lab.
        key: the X-Lectr-Key that it sends; None: the right one.
        budget: what may be spent.
    """
    session, lab = Session(), folder / "lab"
    headers = {"X-Lectr-Key": key or session.key, "X-Lectr-Feature": FEATURE}
    with FakeProvider() as fake, proxy(fake, lab, session, budget) as proxy_url:
        with Tap(proxy_url) as tap:
            url = tap.url
            door = Door(url, f"{url}/v1", url, url, headers, fake.url)
            run = _run(client, door, folder, fake, "through")
        health = httpx.get(f"{proxy_url}/health", timeout=30).json()
    events = scan(lab).collect().to_dicts()
    return Passed(run, tap.sent, events, health["unknown_callers"])


@contextlib.contextmanager
def proxy(
    fake: FakeProvider,
    lab: Path,
    session: Session,
    budget: tuple[BudgetSettings, ...] = (),
) -> Iterator[str]:
    """Its base URL; at the end its log is whole."""
    child = Child(Order(settings=_settings(fake, lab, budget), session=session))
    try:
        yield child.base_url
    finally:
        child.stop()


def _settings(
    fake: FakeProvider, lab: Path, budget: tuple[BudgetSettings, ...]
) -> Settings:
    providers = {
        name: ProviderSettings(base_url=fake.url + path)
        for name, path in _BASE_URLS.items()
    }
    return Settings(budget=budget, lab=str(lab), port=0, providers=providers)


def _run(
    client: Client, door: Door, folder: Path, fake: FakeProvider, name: str
) -> Run:
    """One run, in a home whose path is the same for all, kept aside afterwards."""
    home = folder / "home"
    (home / "work").mkdir(parents=True)
    start = client(door, home)
    out, err = folder / f"{name}.out", folder / f"{name}.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            start.command,
            env=environment(door, home) | start.environment,
            cwd=home / "work",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        exit_code = ended(process)
    shutil.move(home, folder / f"home-{name}")
    said = [file.read_text("utf-8", "replace") for file in (out, err)]
    return Run(exit_code, said[0], said[1], list(fake.seen), list(fake.strangers))


def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code; nothing that it started is left."""
    try:
        return process.wait(_RUN_S)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment(door: Door, home: Path) -> dict[str, str]:
    """A machine with nothing set, whose every other way out is the fake's book."""
    proxies = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], door.elsewhere)
    proxies["NO_PROXY"] = "127.0.0.1"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
    }


def differences(one: Run, other: Run) -> list[str]:
    """Where two runs posted something else, each place in its vicinity."""
    if len(one.alike) != len(other.alike):
        return [str([_status_line(c) for c in run.calls]) for run in (one, other)]
    pairs = zip(one.alike, other.alike, strict=True)
    return [_first_difference(a, b) for a, b in pairs if a != b]


def on_the_wire(call: Seen) -> tuple[Any, ...]:
    """A request as it is the same on both sides of the proxy, to the byte."""
    headers = [_in_its_header(n.lower(), v) for n, v in call.headers]
    passed = [
        (n, v) for n, v in headers if n not in _HOP and not n.startswith("x-lectr")
    ]
    return (call.method, call.path, *sorted(passed, key=itemgetter(0)), call.body)


def _in_its_header(name: str, value: str) -> tuple[str, str]:
    """An API key for Anthropic leaves in `x-api-key`, as the headers reference says."""
    scheme, _, key = value.partition(" ")
    if name == "authorization" and scheme == "Bearer" and key.startswith("sk-ant-api"):
        return "x-api-key", key
    return name, value


def _alike(call: Seen) -> str:
    """A request, without what a client draws anew in each run: an order, too."""
    _, _, *headers, _ = on_the_wire(call)
    lines = [_status_line(call), *(f"{name}: {value}" for name, value in headers)]
    said = json.dumps(call.json, sort_keys=True)
    data = "\n".join([*lines, said]).encode()
    for drawn in _DRAWN:
        data = drawn.sub(b"<drawn>", data)
    return data.decode()


def _status_line(call: Seen) -> str:
    return f"{call.vendor} {call.method} {call.path} {call.status}"


def _first_difference(one: str, other: str) -> str:
    pairs = enumerate(zip(one, other, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    around = slice(max(0, at - 60), at + 60)
    return f"{one[around]!r} is not {other[around]!r}"

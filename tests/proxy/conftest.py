"""A provider that is a bare socket, and the real proxy in front of it."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from lectr_lab.config.settings import AzureSettings, ProviderSettings, Settings
from lectr_lab.launch import Session, build
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.scan import scan
from lectr_lab.proxy import facts
from lectr_lab.proxy.server.run import in_thread

KEY = "lc_key_for-these-tests-only"
OK_JSON = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)


@dataclass
class Received:
    """A request as its bytes were."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.split(":", 1) for line in lines if line)
        return [(name.lower(), value.strip()) for name, value in pairs]


@dataclass
class BareProvider:
    """Answers each request with whatever `answer` does to the socket."""

    answer: Callable[[socket.socket, Received], Any] = field(
        default=lambda sock, _: sock.sendall(OK_JSON)
    )
    received: list[Received] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def reply(self, raw: bytes) -> None:
        """Answer every request with these bytes, then close.

        The end travels with the last byte: a proxy that is quicker than our thread
        would ask again on a connection that nobody reads any more.
        """

        def answer(sock: socket.socket, _: Received) -> None:
            if sys.platform == "linux":
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            sock.sendall(raw)
            sock.close()

        self.answer = answer

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with sock:
            try:
                while (request := self._read(sock)) is not None:
                    self.received.append(request)
                    self.answer(sock, request)
            except OSError:
                self.hung_up.set()

    def _read(self, sock: socket.socket) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        request = Received(head, body)
        length = int(dict(request.headers).get("content-length", 0))
        while len(request.body) < length:
            request.body += sock.recv(65536)
        return request


@contextmanager
def bare_provider() -> Iterator[BareProvider]:
    """A provider on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bare = BareProvider()
        bare.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=bare.serve, args=(listener,), daemon=True).start()
        yield bare
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def patient_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is slow to start a process, and to read."""
    names = ("_JOB_S", "_NAMES_S", "REQUEST_WITHIN_S", "REPLY_WITHIN_S")
    for name in (*names, "CATCH_UP_WITHIN_S"):
        monkeypatch.setattr(facts, name, 60.0)


@pytest.fixture
def provider() -> Iterator[BareProvider]:
    """A bare provider of the test's own."""
    with bare_provider() as bare:
        yield bare


@pytest.fixture
def vendors() -> Iterator[dict[str, BareProvider]]:
    """Five providers that share nothing."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        names = ("openai", "anthropic", "groq", "gemini", "azure")
        yield {name: stack.enter_context(bare_provider()) for name in names}


@dataclass
class RunningProxy:
    """The proxy under test: where it is, and the log it wrote."""

    url: str
    lab: Path

    def client(self, **headers: str) -> httpx.Client:
        """A client that sends a valid key, and these headers."""
        sent = self.keys()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Client(base_url=self.url, headers=sent | named, trust_env=False)

    def keys(self) -> dict[str, str]:
        """What a valid caller sends."""
        return {"X-Lectr-Key": KEY, "Authorization": "Bearer sk-provider"}

    def events(self, count: int = 1) -> list[dict[str, Any]]:
        """The rows of the log, oldest first, once there are so many."""
        deadline = time.monotonic() + 30
        while True:
            rows = scan(self.lab).sort("started_at").collect()
            if rows.height >= count or time.monotonic() > deadline:
                assert rows.height == count, f"{rows.height} events, not {count}"
                return rows.to_dicts()
            time.sleep(0.02)

    def event(self) -> dict[str, Any]:
        """The only row."""
        return self.events(1)[0]


def settings_for(provider_url: str, lab: Path, **changes: Any) -> Settings:
    """All five providers behind one address, each on a path that tells it."""
    usual: dict[str, Any] = {
        "lab": str(lab),
        "providers": {
            "openai": ProviderSettings(base_url=f"{provider_url}/openai/v1"),
            "anthropic": ProviderSettings(base_url=f"{provider_url}/anthropic/v1"),
            "groq": ProviderSettings(base_url=f"{provider_url}/groq/openai/v1"),
            "gemini": ProviderSettings(base_url=f"{provider_url}/gemini/v1beta/openai"),
        },
        "azure": AzureSettings(endpoint=f"{provider_url}/azure", api_version="v9"),
    }
    return Settings(**usual | changes)


@contextmanager
def run_proxy(settings: Settings) -> Iterator[RunningProxy]:
    """The real application on a real port, with the tests' key.

    At its end nobody reads the log any more: what is not sealed yet is removed, for a
    sealer takes longer to load than most tests run.
    """
    app = build(settings, session=Session(KEY, org="acme"))
    with in_thread(app, limits=settings.limits) as url:
        lab = LabFolder.create(Path(settings.lab))
        yield RunningProxy(url, lab.root)
        for segment in lab.segments():
            segment.unlink(missing_ok=True)


@pytest.fixture(params=["native", "httpx"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both ways to ask a provider."""
    return str(request.param)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningProxy]]:
    """Start a proxy before a provider; any number, all stopped at the end."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start_one(provider_url: str, **changes: Any) -> RunningProxy:
            settings = settings_for(provider_url, tmp_path / "lab", **changes)
            return stack.enter_context(run_proxy(settings))

        yield start_one


@pytest.fixture
def proxy(provider: BareProvider, start: Callable[..., RunningProxy]) -> RunningProxy:
    """One proxy before the bare provider, default engine."""
    return start(provider.url)


@pytest.fixture(scope="module", params=["native", "httpx"])
def standing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BareProvider, RunningProxy]]:
    """A provider and a proxy that stand for a whole module, once for each engine."""
    lab = tmp_path_factory.mktemp("standing") / "lab"
    with bare_provider() as bare:
        settings = settings_for(bare.url, lab, engine=request.param)
        with run_proxy(settings) as running:
            yield bare, running


@pytest.fixture(scope="module")
def standing_with(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., tuple[BareProvider, RunningProxy]]]:
    """The same with settings of the module's own."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start_one(**changes: Any) -> tuple[BareProvider, RunningProxy]:
            bare = stack.enter_context(bare_provider())
            lab = tmp_path_factory.mktemp("standing") / "lab"
            settings = settings_for(bare.url, lab, **changes)
            return bare, stack.enter_context(run_proxy(settings))

        yield start_one

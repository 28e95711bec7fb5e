"""What every test may ask for."""

import contextlib
import gc
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from lectr_lab.tape.cassette import Interaction

# A busy machine makes a right answer late; it does not make it wrong.
settings.register_profile("lectr", settings(), deadline=None)
settings.load_profile("lectr")

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Of a million objects that the tests are, all stay to the end: whoever collects
    garbage meanwhile, or between two measurements, need not walk through them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """What a terminal's programs begin with: under nohup and in a script's background
    these two are ignored, and so they are by every program that a test starts."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {one: signal.signal(one, handler) for one, handler in usual.items()}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party recordings and data, read where they lie: CI has them, you may not."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the shared data at {SHARED}")
        pytest.skip("needs the shared recordings and data beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> str:
    """A real browser; CI has it, you may not."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("needs chromium to look at a page")
    return found


# Not of the session: its event loop runs until it is closed, and a test that comes
# between two files of a folder may want one of its own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium for which every host name but this machine's own resolves to nothing."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page's HTML, opened; it must not complain, and must not ask for anything but
    what it holds itself, where that is `allowed`."""
    tabs, complaints = [], []

    def open_page(
        html: str,
        width: int = 1200,
        height: int = 900,
        *,
        allowed: tuple[str, ...] = (),
        **options: Any,
    ) -> Any:
        file = tmp_path / f"{len(tabs)}.html"
        file.write_text(html, "utf-8")
        viewport = {"width": width, "height": height}
        tab = browser.new_page(viewport=viewport, **options)
        tabs.append(tab)
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        own = file.as_uri()
        tab.on("request", lambda asked: complaints.append(asked.url)
               if asked.url != own and not asked.url.startswith(allowed)
               else None)  # fmt: skip
        tab.goto(own)
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
    assert complaints == []


@pytest.fixture(scope="session")
def rendered(chromium: str) -> Callable[[Path], str]:
    """A page's DOM as a real browser, with nothing to reach, leaves it."""

    def render(page: Path) -> str:
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        flags += "--disable-background-networking --disable-component-update "
        flags += "--disable-sync --virtual-time-budget=20000 --dump-dom "
        # Every name resolves to nothing: what a page loads from afar is missing.
        flags += "--host-resolver-rules=MAP\t*\t~NOTFOUND"
        profile = page.parent / "browser-profile"
        done = subprocess.run(
            [
                chromium,
                *(flag.replace("\t", " ") for flag in flags.split(" ")),
                f"--user-data-dir={profile}",
                page.resolve().as_uri(),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    return render


class Origin:
    """Answers every request with `pieces`, each a pause in seconds and raw bytes."""

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.pieces: list[tuple[float, bytes]] = []

    def play(self, one: Interaction) -> None:
        """Answer with what was recorded, at once."""
        head = b"".join(b"%s: %s\r\n" % header for header in one.response_headers)
        if not any(n.lower() == b"content-length" for n, _ in one.response_headers):
            head += b"content-length: %d\r\n" % len(one.body)
        line = b"HTTP/1.1 %d X\r\n" % one.status
        self.pieces = [(0.0, line + head + b"\r\n" + one.body)]

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with sock:
            head, _, body = self._until(sock, b"\r\n\r\n").partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            while len(body) < int(length or 0):
                body += sock.recv(65536)
            with contextlib.suppress(OSError):  # the client may leave
                for pause_s, data in self.pieces:
                    time.sleep(pause_s)
                    sock.sendall(data)

    def _until(self, sock: socket.socket, end: bytes) -> bytes:
        data = b""
        while end not in data:
            data += sock.recv(65536)
        return data


@pytest.fixture(scope="session")
def origin() -> Iterator[Origin]:
    """A provider on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        origin = Origin(listener)
        threading.Thread(target=origin.serve, args=(listener,), daemon=True).start()
        yield origin
        listener.shutdown(socket.SHUT_RDWR)

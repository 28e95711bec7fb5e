"""A provider that is a bare socket, recorded through the proxy's own engine."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import CURRENT_NOTE, Note
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.record import Recorder


class Origin:
    """Answers every request with `pieces`, each a pause in seconds and raw bytes."""

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.pieces: list[tuple[float, bytes]] = []

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


@pytest.fixture
def send(origin: Origin) -> Callable[..., list[bytes]]:
    """Send a request to the origin with a recorder below, and read its answer."""

    async def sent(
        recorder: Recorder,
        path: str = "/v1/chat/completions",
        body: bytes = b'{"model":"m"}',
        headers: tuple[tuple[bytes, bytes], ...] = (),
        method: str = "POST",
        note: Note | None = None,
        chunks_read: int | None = None,
    ) -> list[bytes]:
        CURRENT_NOTE.set(note)
        engine = open_engine(Settings(engine="httpx"))
        opened = recorder.wrap(engine)
        got: list[bytes] = []
        try:
            url = f"{origin.url}{path}"
            host = (b"host", origin.url.removeprefix("http://").encode())
            length = (b"content-length", str(len(body)).encode())
            reply = await opened.send(method, url, [host, length, *headers], body)
            try:
                async for chunk in reply:
                    got.append(chunk)
                    if chunks_read is not None and len(got) >= chunks_read:
                        break
            finally:
                await reply.aclose()
        finally:
            await opened.aclose()
        return got

    def run(*args: Any, **options: Any) -> list[bytes]:
        return asyncio.run(sent(*args, **options))

    return run


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A client that knows no proxy of the machine."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def ask(client: httpx.Client) -> Callable[..., tuple[httpx.Response, list[bytes]]]:
    """Ask a tape what was recorded: the answer's head, and its raw chunks."""

    def asked(
        base_url: str, one: Interaction, path: str | None = None
    ) -> tuple[httpx.Response, list[bytes]]:
        url = f"{base_url}{path or httpx.URL(one.uri).raw_path.decode()}"
        with client.stream(one.method, url, content=one.request_body) as reply:
            return reply, list(reply.iter_raw())

    return asked


@pytest.fixture
def cassette(tmp_path: Path) -> Callable[[str], Path]:
    """A cassette with this text."""

    def written(text: str, name: str = "tape.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return written


@pytest.fixture
def interaction() -> Callable[..., Interaction]:
    """An interaction with some of its fields given."""

    def made(**fields: Any) -> Interaction:
        return Interaction(
            **{
                "file": "tape.yaml",
                "number": 1,
                "method": "POST",
                "uri": "https://api.openai.com/v1/chat/completions",
                "provider": "openai",
                "request_headers": (),
                "request_body": b'{"model":"m"}',
                "status": 200,
                "response_headers": (),
                "chunks": (),
            }
            | fields
        )

    return made

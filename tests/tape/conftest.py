"""What is recorded through the proxy's own engine, and what is played by the proxy."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.core.engine import CURRENT_NOTE, Note
from lectr_lab.proxy.engine.engines import open_engine
from lectr_lab.tape.cassette import Interaction
from lectr_lab.tape.compare import split_path
from lectr_lab.tape.record import Recorder
from lectr_lab.testing.recorded_proxy import RecordedProxy


@pytest.fixture
def send(origin: Any) -> Callable[..., list[bytes]]:
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
    """Ask a proxy what was recorded: the answer's head, and its raw chunks."""

    def asked(
        proxy: RecordedProxy, one: Interaction, provider: str | None = None
    ) -> tuple[httpx.Response, list[bytes]]:
        path, _, query = httpx.URL(one.uri).raw_path.decode().partition("?")
        url = f"{proxy.base_url}/{split_path(path)[1]}" + f"?{query}" * bool(query)
        named = {"X-Lectr-Provider": provider or one.provider or "openai"}
        headers, body = proxy.headers() | named, one.request_body
        with client.stream(one.method, url, content=body, headers=headers) as reply:
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

"""Real traffic for the readers: every recording, as bytes a reader would be given."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from lectr_lab.core.event_values import Operation
from lectr_lab.core.llm_api.reply import ReplyReader

_ENDS: dict[str, Operation] = {
    "chat/completions": "chat",
    "completions": "completions",
    "embeddings": "embeddings",
    "responses": "responses",
    "messages": "messages",
}


class Recording(NamedTuple):
    """One recorded request and its reply."""

    file: str
    host: str
    operation: Operation
    request: bytes
    status: int
    content_type: str
    content_encoding: str
    body: bytes  # as on the wire
    text: str  # of the body, decompressed

    @property
    def is_stream(self) -> bool:
        return self.status < 400 and "event-stream" in self.content_type

    def reader(self) -> ReplyReader:
        """A reader that knows the reply's head."""
        return ReplyReader(
            self.operation, self.status, self.content_type, self.content_encoding
        )


@pytest.fixture(scope="session")
def recordings(shared: Path) -> list[Recording]:
    """Every interaction of every recording, whatever form its file has."""
    root = shared / "cassettes"
    files = sorted([*root.rglob("*.yaml"), *root.rglob("*.yml")])
    found = [r for file in files for r in _read(file, root)]
    assert len(found) > 100
    return found


@pytest.fixture(scope="session")
def own_recordings() -> list[Recording]:
    """Every interaction of the repository's own recordings."""
    root = Path(__file__).parents[2] / "cassettes"
    return [r for file in sorted(root.rglob("*.yaml")) for r in _read(file, root)]


@pytest.fixture(scope="session")
def recording(recordings: list[Recording]) -> Callable[..., Recording]:
    """One recording by a part of its file's name, and which of its interactions."""

    def find(part: str, number: int = 0) -> Recording:
        return [r for r in recordings if part in r.file][number]

    return find


def _read(file: Path, root: Path) -> Iterator[Recording]:
    tape = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    for each in tape.get("interactions") or tape["http_interactions"]:
        request, response = each["request"], each["response"]
        headers = {k.lower(): v for k, v in response["headers"].items()}
        body = _bytes(_body(response))
        packed = body[:2] == b"\x1f\x8b"
        plain = gzip.decompress(body) if packed else body
        url = urlsplit(request.get("uri") or request["url"])
        yield Recording(
            file=file.relative_to(root).as_posix(),
            host=url.netloc,
            operation=_operation(url.path),
            request=_bytes(_body(request)),
            status=_status(response),
            content_type=_one(headers.get("content-type")),
            content_encoding=_one(headers.get("content-encoding")),
            body=body,
            text=plain.decode(),
        )


def _body(message: dict[str, Any]) -> Any:
    for key in ("body", "content", "parsed_body"):
        if key in message:
            body = message[key]
            return body.get("string", body) if isinstance(body, dict) else body
    return b""


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _status(response: dict[str, Any]) -> int:
    for status in (response.get("code"), response.get("status_code")):
        if isinstance(status, int):
            return status
    return int(response["status"]["code"])


def _one(values: Any) -> str:
    return values[0] if isinstance(values, list) else values or ""


def _operation(path: str) -> Operation:
    ends = (name for end, name in _ENDS.items() if path.endswith("/" + end))
    return next(ends, "other")

"""A lab with sealed parts to ship, and an S3 server on loopback."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

from lectr_lab.core.event import Event
from lectr_lab.core.ids import event_id
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.log.seal import seal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BUCKET = "lab"


def events(first: int, count: int, day: int = 0) -> list[Event]:
    """Events numbered from `first`, each with an id of its number and day."""
    return [_event(number, day) for number in range(first, first + count)]


def add_part(lab: LabFolder, some: list[Event]) -> None:
    """What a proxy does: events into the journal, and from there into a part."""
    writer = JournalWriter(lab)
    writer.append(some)
    writer.close()
    assert not seal(lab).problems


def _event(number: int, day: int) -> Event:
    at = NOON + timedelta(days=day, milliseconds=number)
    return Event(
        event_id=event_id(int(at.timestamp() * 1000), number << 40 | number),
        started_at=at,
        org="acme",
        feature=f"feature-{number % 7}",
        path="/v1/chat/completions",
        operation="chat",
        provider="openai",
        model_requested="gpt-4o",
        outcome="ok",
        status=200,
        total_ms=number / 8,
        input_tokens=number,
        output_tokens=number % 100,
    )


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """The URL of moto's server, with one bucket in it."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        make_bucket(host, port, BUCKET)
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(host: str, port: int, name: str) -> None:
    connection = HTTPConnection(host, port, timeout=30)
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()

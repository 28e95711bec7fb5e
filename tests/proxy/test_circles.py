"""What a request leaves in memory: nothing that only the collector could free."""

import gc
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from lectr_lab.core.event import Event
from lectr_lab.core.exchange import Exchange
from lectr_lab.core.llm_api.reply import ReplyReader

CHAT = json.dumps(
    {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
).encode()
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
    b'17\r\ndata: {"choices": []}\n\n\r\n0\r\n\r\n'
)
CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf"
FAILED = b"HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}"


@contextmanager
def collector_off() -> Iterator[None]:
    """As a proxy nearly always is: it collects once in thousands of requests."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def of_requests() -> int:
    """What is left of requests in this process."""
    kinds = (Exchange, Event, ReplyReader)
    return sum(type(each) in kinds for each in gc.get_objects())


def test_a_request_is_forgotten_without_the_collector(provider, proxy) -> None:
    """However it ended: no circle of objects holds it, and its prompt, any longer."""
    with collector_off():
        for reply in (WHOLE, STREAM, CUT, FAILED):
            provider.reply(reply)
            ask(proxy, leave=False)
        proxy.events(4)
        assert _soon_none(of_requests)


def test_a_client_that_left_is_forgotten_as_well(bare_silence, start) -> None:
    """Its task was cancelled: the exception that ended it holds nothing."""
    proxy = start(bare_silence)

    with collector_off():
        ask(proxy, leave=True)
        proxy.event()
        assert _soon_none(of_requests)


@pytest.fixture
def bare_silence() -> Iterator[str]:
    """A provider that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def ask(proxy, *, leave: bool) -> None:
    """One request over a connection of its own, read to its end."""
    keys = "".join(f"{name}: {value}\r\n" for name, value in proxy.keys().items())
    where = urlsplit(proxy.url)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n{keys}connection: close\r\n"
    )
    sent = head.encode() + b"content-length: %d\r\n\r\n" % len(CHAT) + CHAT
    with socket.create_connection((where.hostname, where.port), timeout=30) as sock:
        sock.sendall(sent)
        if leave:
            time.sleep(0.2)
            return
        while sock.recv(65536):
            pass


def _soon_none(count: Callable[[], int]) -> bool:
    """The log's thread may still have the last of them in its hands."""
    until_s = time.monotonic() + 10
    while count() and time.monotonic() < until_s:
        time.sleep(0.05)
    return not count()

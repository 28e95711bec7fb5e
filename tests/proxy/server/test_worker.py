"""A worker that retires, and one that stands in for another."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import msgspec
import pytest

from lectr_lab.config.settings import Settings
from lectr_lab.launch import Order, Session, Started
from lectr_lab.proxy.shared.failures import open_memory
from lectr_lab.proxy.shared.messages import Take
from lectr_lab.proxy.shared.port import WorkerOrder

LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
_ENCODE = msgspec.msgpack.Encoder().encode


class Worker:
    """One with two places, its own the first."""

    def __init__(self, tmp_path) -> None:
        self.socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.line, its = socket.socketpair()
        memory = open_memory()
        fds = tuple(sock.fileno() for sock in self.socks)
        worker = WorkerOrder(
            instance="i",
            slot=0,
            listening=fds,
            line=its.fileno(),
            memory=memory,
            key=b"k" * 32,
        )
        settings = Settings(lab=str(tmp_path / "lab"), upstream="http://127.0.0.1:1")
        order = Order(settings=settings, session=Session("lc_key_x"), worker=worker)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lectr_lab.launch"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[*fds, its.fileno(), memory],
        )
        its.close()
        os.close(memory)
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert msgspec.json.decode(line, type=Started).base_url

    def connect(self, place: int = 0) -> socket.socket:
        return socket.create_connection(self.socks[place].getsockname(), timeout=30)

    def take(self, *, also: bool) -> None:
        data = _ENCODE(Take(1, also=also))
        self.line.sendall(len(data).to_bytes(4, "big") + data)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        for sock in (*self.socks, self.line):
            sock.close()


@pytest.fixture
def worker(tmp_path):
    """It answers."""
    one = Worker(tmp_path)
    yield one
    one.close()


def ask(sock: socket.socket) -> bytes:
    """One reply of a few bytes; nothing where the connection is closed."""
    sock.sendall(LIVE)
    said = b""
    while b"}" not in said and (piece := sock.recv(65536)):
        said += piece
    return said.lower()


@contextmanager
def closing(*socks: socket.socket):
    yield
    for sock in socks:
        sock.close()


def test_one_that_retires_closes_on_nobody(worker):
    """A connection that it has is answered once more, and told to go; who connects is
    left to the next one; it ends with the last."""
    kept, silent = worker.connect(), worker.connect()
    assert b"connection: close" not in ask(kept)
    ask(silent)
    worker.process.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    late = worker.connect()
    with closing(kept, silent, late):
        said = ask(kept)
        assert said.startswith(b"http/1.1 200")
        assert b"connection: close" in said
        assert kept.recv(1) == b""
        late.sendall(LIVE)
        late.settimeout(0.3)
        with pytest.raises(TimeoutError):
            late.recv(1)
        assert worker.process.poll() is None, "the silent one may still ask"
        silent.close()
        assert worker.process.wait(30) == 0
        accepted, _ = worker.socks[0].accept()
        assert accepted.recv(65536) == LIVE, "it is still there for the next one"
        accepted.close()


def test_one_stands_in_for_another_until_that_is_back(worker):
    """What waits at the other's place is answered."""
    waits = worker.connect(1)
    waits.sendall(LIVE)
    worker.take(also=True)
    with closing(waits):
        assert waits.recv(12) == b"HTTP/1.1 200"
        for _ in range(3):
            with worker.connect(1) as sock:
                assert ask(sock).startswith(b"http/1.1 200")
        worker.take(also=False)
        time.sleep(0.3)
        with worker.connect(1) as sock:
            sock.sendall(LIVE)
            sock.settimeout(0.3)
            with pytest.raises(TimeoutError):
                sock.recv(1)
        with worker.connect(0) as sock:
            assert ask(sock).startswith(b"http/1.1 200")


def test_a_second_interrupt_breaks_off(worker):
    """The first waits for a request whose body is still to come."""
    sock = worker.connect()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    head += b"X-Lectr-Key: lc_key_x\r\nAuthorization: Bearer sk-test\r\n"
    sock.sendall(head + b"Content-Length: 10\r\n\r\n")
    time.sleep(0.3)
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert worker.process.poll() is None
    began_s = time.monotonic()
    worker.process.send_signal(signal.SIGINT)
    with closing(sock):
        worker.process.wait(60)

    assert time.monotonic() - began_s < 20

"""The worker's process, as it is started."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lectr_lab.proxy.worker.jobs import ReadRequest, receive, send_job


@pytest.fixture
def served():
    """The process, and our end of its socket."""
    ours, its = socket.socketpair()
    with ours, its:
        ours.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "lectr_lab.proxy.worker.serve"],
            stdin=its.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        its.close()
        assert receive(ours) == b""
        yield process, ours
        process.kill()
        process.communicate()


def test_it_prints_nothing_and_ends_with_the_proxy(served):
    """Whatever it is asked, texts in it or none."""
    process, sock = served
    send_job(sock, ReadRequest("chat"), [b'{"model": "secret", \xff'])
    assert receive(sock) is not None
    sock.close()

    printed, _ = process.communicate(timeout=60)

    assert (printed, process.returncode) == (b"", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and RLIMIT_AS")
def test_its_memory_is_bounded(served):
    """What would take more is not read, and the next job is."""
    process, sock = served
    limits = Path(f"/proc/{process.pid}/limits").read_text("ascii").splitlines()
    [line] = [line for line in limits if line.startswith("Max address space")]
    assert line.split()[3] == str(1024**3)
    body = b'{"messages":[{"content":[%s{}]}]}' % (b"{}," * 30_000_000)

    send_job(sock, ReadRequest("chat"), [body])
    assert receive(sock) == b""
    send_job(sock, ReadRequest("chat"), [b"{}"])

    assert receive(sock)

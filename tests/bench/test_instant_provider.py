"""The provider that takes no time."""

import socket
import struct
from itertools import pairwise

import httpx
import pytest

from lectr_lab.bench.instant_provider import CHUNKS
from lectr_lab.bench.measure import helper


@pytest.fixture(scope="module")
def url():
    with helper("instant_provider") as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1/chat/completions"


def test_a_chat_is_answered_with_about_a_kilobyte(url):
    """A whole chat completion, with its usage; again on the same connection."""
    with httpx.Client(trust_env=False) as client:
        for _ in range(2):
            reply = client.post(url, json={"model": "gpt-4o-mini"})
            assert reply.json()["usage"]["total_tokens"] == 330

    assert 800 < len(reply.content) < 1500


def test_a_stream_says_when_each_chunk_was_sent(url):
    """Paced, one event a chunk, ended properly."""
    with httpx.stream("POST", url, content=b'{"stream":true}') as reply:
        lines = [line for line in reply.iter_lines() if line]

    assert lines[-1] == "data: [DONE]"
    sent_ns = [int(line.split("t=")[1].split(";")[0]) for line in lines[:-1]]
    assert len(sent_ns) == CHUNKS
    assert all(b - a > 2e6 for a, b in pairwise(sent_ns))


def test_a_stream_that_nobody_reads_ends_in_silence(capfd):
    """A gateway that resets its connection is no failure of the provider's."""
    with helper("instant_provider") as process:
        port = int(process.stdout.readline())
        body = b'{"stream":true}'
        head = b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                sock.sendall(head + body)
                assert sock.recv(65536)
                linger = struct.pack("ii", 1, 0)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        with httpx.stream("POST", url, content=body) as reply:
            assert reply.read().endswith(b"data: [DONE]\n\n")

    assert capfd.readouterr().err == ""

"""The provider that takes no time."""

from itertools import pairwise

import httpx
import pytest

from lectr_lab.bench.measure import helper
from lectr_lab.bench.upstream import CHUNKS


@pytest.fixture(scope="module")
def url():
    with helper("upstream") as process:
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

"""What is put side by side."""

import http.client

import pytest

from lectr_lab.bench import gateways
from lectr_lab.bench.gateways import Gateway, found
from lectr_lab.bench.measure import helper
from lectr_lab.core.errors import ProxyError


@pytest.fixture(scope="module")
def upstream():
    with helper("instant_provider") as process:
        yield int(process.stdout.readline())


def ask(gateway: Gateway) -> bytes:
    head, _, body = gateway.request(stream=False).partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", body, dict(lines))
    reply = connection.getresponse().read()
    connection.close()
    return reply


def test_a_request_is_about_a_kilobyte():
    """Head and body; its length is true."""
    for stream in (False, True):
        request = Gateway(1, (("X-Lectr-Key", "k"),)).request(stream=stream)
        head, _, body = request.partition(b"\r\n\r\n")
        assert 900 < len(request) < 1300
        assert f"Content-Length: {len(body)}".encode() in head
        assert head.endswith(b"X-Lectr-Key: k")


def test_the_proxy_passes_on_the_same_bytes_as_its_provider(upstream, tmp_path):
    """As do nginx and what else is found here."""
    assert list(found())[:2] == ["direct", "lectr-lab"]
    with gateways.direct(upstream, tmp_path) as bare:
        expected = ask(bare)
    for name in ("lectr-lab", *({"nginx"} & set(found()))):
        with found()[name](upstream, tmp_path) as gateway:
            assert ask(gateway) == expected
            assert len(gateway.pids) >= 1


@pytest.mark.slow
def test_two_workers_pass_on_the_same_bytes(upstream, tmp_path):
    """Their parent's processor time counts as theirs."""
    with gateways.direct(upstream, tmp_path) as bare:
        expected = ask(bare)
    with gateways.several(upstream, tmp_path, workers=2) as gateway:
        assert [ask(gateway) for _ in range(4)] == [expected] * 4
        assert len(gateway.pids) >= 3


def test_one_that_does_not_answer_is_a_clear_error(tmp_path):
    """It names the command, and ends it."""
    with (
        pytest.raises(ProxyError, match="false"),
        gateways._running(["false"], Gateway(1)),
    ):
        pass

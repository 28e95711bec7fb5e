"""Which addresses are this machine's alone."""

import pytest

from lectr_lab.proxy.addresses import key_is_safe, reachable


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", False),
        ("127.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.168.1.5", True),
        ("localhost.example.com", True),
        ("", True),
    ],
)
def test_only_loopback_is_unreachable(host, expected):
    """A name could be anything."""
    assert reachable(host) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1", True),
        ("http://localhost:8080/v1", True),
        ("http://api.openai.com/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("https://user@host/v1", False),
        ("https://host/v1?x=1", False),
        ("ftp://127.0.0.1/", False),
        ("https://[/v1", False),
        ("https:///v1", False),
    ],
)
def test_a_key_crosses_a_network_encrypted(url, expected):
    """Plain text on this machine alone."""
    assert key_is_safe(url) is expected

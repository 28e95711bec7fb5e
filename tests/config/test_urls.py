"""Which addresses are this machine's alone."""

import pytest

from lectr_lab.config.urls import key_is_safe, names_proxy, reachable


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


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:3128", True),
        ("https://me:word@proxy.example.com/", True),
        ("http://[::1]:3128", True),
        ("localhost:3128", False),
        ("socks5://localhost:1080", False),
        ("http://:3128", False),
        ("http://localhost:port", False),
        ("http://localhost:99999", False),
        ("http://local host:1", False),
        ("http://localhost:3128/path", False),
        ("http://[/", False),
    ],
)
def test_a_proxy_has_a_scheme_and_a_host(url, expected):
    """What could not be asked is refused before anybody asks it."""
    assert names_proxy(url) is expected

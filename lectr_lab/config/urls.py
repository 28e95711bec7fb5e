"""Which addresses are this machine's alone: a key may cross a network only encrypted."""

import ipaddress
import re
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


def reachable(host: str) -> bool:
    """Other machines can reach what listens there, for all that the address says.

    >>> reachable("127.0.0.1"), reachable("0.0.0.0"), reachable("my-laptop")
    (False, True, True)
    """
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return True


def is_host(text: str) -> bool:
    """A name of the DNS, and nothing beside it.

    >>> is_host("proxy.example"), is_host("https://proxy.example"), is_host("a:80")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def key_is_safe(url: str) -> bool:
    """A base URL to which a key may be sent: https, or plain on this machine.

    >>> key_is_safe("https://api.openai.com/v1"), key_is_safe("http://10.0.0.1/v1")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or parts.username:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def names_proxy(url: str) -> bool:
    """A proxy on the way to providers: scheme, perhaps a name and password, host, port.

    >>> names_proxy("http://me:word@localhost:3128"), names_proxy("localhost:3128")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        rest = (parts.path.strip("/"), parts.query, parts.fragment)
        known = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # a port or a name that cannot be one
        return False
    return known and bool(host) and not any(rest) and not any(map(str.isspace, url))

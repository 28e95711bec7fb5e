"""By which names the pages that ask for no key are reached, and from which other pages.

A stranger's page can give its own name the address 127.0.0.1 (DNS rebinding): a browser
then lets it read what is here. It cannot change the Host header, which says that name.
An address in numbers is no name that can be given away, so that it is always right: a
probe may come by a pod's address. Names have to be known.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, TypeAlias

from litestar.connection import ASGIConnection

from lectr_lab.core import error_responses
from lectr_lab.core.error_responses import Refusal
from lectr_lab.core.headers import RawHeaders
from lectr_lab.proxy.own_replies import Refused

Guard: TypeAlias = Callable[[ASGIConnection[Any, Any, Any, Any], Any], None]

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 9110, 7.2, and RFC 6454, 7; what else they allow no browser sends.
_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:/@\[\]]+))(?::[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(.+)")


class Hosts:
    """The names that are this proxy's own.

    Args:
        names: beside those of loopback; of any port.

    >>> hosts = Hosts(["proxy.example"])
    >>> hosts.refusal([(b"host", b"proxy.example:8484")])
    >>> hosts.refusal([(b"host", b"evil.test")]).code
    'forbidden_host'
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = _HERE | {name.lower() for name in names}

    def refusal(self, headers: RawHeaders) -> Refusal | None:
        """Why a request is not answered; None: it is."""
        host = _first(headers, b"host")
        name = _name(host)
        if name not in self._names and not _is_address(name):
            return error_responses.FORBIDDEN_HOST
        origin = _first(headers, b"origin")
        if origin and not self._is_own(origin, host):
            return error_responses.FORBIDDEN_ORIGIN
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        """A page of these names, or of the very place that is asked."""
        found = _ORIGIN.fullmatch(origin)
        return found is not None and (
            found[1] == host or _name(found[1]) in self._names
        )


def only_by(hosts: Callable[[], Hosts]) -> Guard:
    """Litestar's guard of every route: it is asked for by one of these names."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: Any) -> None:
        refusal = hosts().refusal(list(connection.scope["headers"]))
        if refusal is not None:
            raise Refused(refusal)

    return guard


def _first(headers: RawHeaders, wanted: bytes) -> str:
    found = next((value for name, value in headers if name == wanted), b"")
    return found.decode("latin-1").strip().lower()


def _name(authority: str) -> str:
    """A host without its port, and without the dot of a name that is complete."""
    found = _AUTHORITY.fullmatch(authority)
    return "" if found is None else found[1] or found[2].removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False

"""Which program asks: its family and version. `clients.toml` has the families.

A user agent is anybody's text. Of it only a family's name, which is ours, and a version's
digits go on record.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

_MOST_BYTES = 512  # of a user agent: nobody's name stands behind that
# Digits and what is said of a release, nothing else: it could be a name.
_VERSION = (
    rb"(\d{1,9}(?:\.\d{1,9}){0,3}(?:[-.]?(?:a|b|rc|alpha|beta|canary|dev|insiders"
    rb"|next|nightly|post|pre|preview)(?:[.-]?\d{1,9}){0,3}(?![A-Za-z0-9]))?)?"
)


class _Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    checked: date
    user_agents: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


class Client(NamedTuple):
    """A program, as far as it says what it is."""

    family: str | None = None
    version: str | None = None


_NOBODY = Client()


class _Signs(NamedTuple):
    """The families, as requests are compared with them."""

    user_agents: tuple[tuple[re.Pattern[bytes], str], ...]
    headers: tuple[tuple[frozenset[bytes], str], ...]
    any_header: frozenset[bytes]
    titles: Mapping[bytes, str]


def client_of(first: Mapping[bytes, bytes]) -> Client:
    """The program that a request is from.

    Args:
        first: the request's headers, names in lower case, the first of each.

    Returns:
        Its family, and its version where that is told; None where it is not known.

    >>> client_of({b"user-agent": b"claude-cli/2.1.332 (external, cli)"})
    Client(family='claude-code', version='2.1.332')
    >>> client_of({b"user-agent": b"my program/1.0"})
    Client(family=None, version=None)
    """
    signs = _signs()
    if not signs.any_header.isdisjoint(first):
        for names, family in signs.headers:
            if names <= first.keys():
                return Client(family)
        title = first.get(b"x-title", b"").strip().lower()
        if title in signs.titles:
            return Client(signs.titles[title])
    user_agent = first.get(b"user-agent")
    return _NOBODY if user_agent is None else _named(user_agent[:_MOST_BYTES])


@cache
def families() -> tuple[str, ...]:
    """Every family's name, in the order of the file.

    >>> families()[:2]
    ('claude-code', 'codex')
    """
    return tuple(_rows())


@lru_cache(1024)
def _named(user_agent: bytes) -> Client:
    for pattern, family in _signs().user_agents:
        if found := pattern.search(user_agent):
            return Client(family, found[1].decode() if found[1] else None)
    return _NOBODY


@cache
def _rows() -> dict[str, _Family]:
    file = files("lectr_lab.core.identity").joinpath("clients.toml")
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, _Family])


@cache
def _signs() -> _Signs:
    rows = _rows().items()
    headers = tuple(
        (frozenset(map(str.encode, row.headers)), name)
        for name, row in rows
        if row.headers
    )
    return _Signs(
        tuple(
            (_pattern(row.user_agents), name) for name, row in rows if row.user_agents
        ),
        headers,
        frozenset({b"x-title"}).union(*(names for names, _ in headers)),
        {title.encode(): name for name, row in rows for title in row.titles},
    )


def _pattern(user_agents: tuple[str, ...]) -> re.Pattern[bytes]:
    either = "|".join(user_agents).encode()
    return re.compile(rb"(?:^|[ (,;])(?:" + either + rb")" + _VERSION, re.IGNORECASE)

"""Which run a request belongs to, by the headers in which programs say so.

`sessions.toml` has their names. What is read here is as sent; whether it may go on record
so is decided by `run`.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: tuple[str, ...]
    source: str
    checked: date
    agent: tuple[str, ...] = ()
    parent: tuple[str, ...] = ()
    main_session: tuple[str, ...] = ()


class Named(NamedTuple):
    """What a program's headers name, as sent."""

    program: str | None = None  # of `sessions.toml`
    session: bytes | None = None
    agent: bytes | None = None
    parent_agent: bytes | None = None


class _Names(NamedTuple):
    program: str
    session: tuple[bytes, ...]
    agent: tuple[bytes, ...]
    parent: tuple[bytes, ...]
    main_session: tuple[bytes, ...]


_NOTHING = Named()


def named_in(first: Mapping[bytes, bytes]) -> Named:
    """The session and the agent that a program's own headers name.

    Args:
        first: the request's headers, names in lower case, the first of each.

    Returns:
        What is there; an agent that is the session itself is the main one, and None.

    >>> named_in({b"session-id": b"s", b"thread-id": b"t"})[1:3]
    (b's', b't')
    >>> named_in({b"x-session-id": b"child", b"x-parent-session-id": b"root"})[1:]
    (b'root', b'child', b'root')
    """
    rows, sessions = _rows()
    if sessions.isdisjoint(first):
        return _NOTHING  # most SDKs
    for row in rows:
        session = _first_of(row.session, first)
        if session is None:
            continue
        main_session = _first_of(row.main_session, first)
        if main_session is not None:
            return Named(row.program, main_session, session, main_session)
        agent = _first_of(row.agent, first)
        main = agent is None or agent == session
        parent = _first_of(row.parent, first)
        return Named(row.program, session, None if main else agent, parent)
    return _NOTHING


def session_headers() -> frozenset[bytes]:
    """The names of all headers that name a session.

    >>> b"session-id" in session_headers()
    True
    """
    return _rows()[1]


def _first_of(names: tuple[bytes, ...], headers: Mapping[bytes, bytes]) -> bytes | None:
    for name in names:
        value = headers.get(name)
        if value is not None and (value := value.strip()):
            return value
    return None


@cache
def _rows() -> tuple[tuple[_Names, ...], frozenset[bytes]]:
    file = files("lectr_lab.core.identity").joinpath("sessions.toml")
    rows = msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, _Row])
    names = tuple(
        _Names(
            program,
            *(
                tuple(map(str.encode, some))
                for some in (row.session, row.agent, row.parent, row.main_session)
            ),
        )
        for program, row in rows.items()
    )
    return names, frozenset(name for row in names for name in row.session)

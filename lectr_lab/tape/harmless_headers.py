"""The headers that a cassette keeps whole. They are data, in harmless_headers.toml."""

import re
import tomllib
from functools import cache
from importlib.resources import files

import msgspec


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some headers, and why their values are harmless. `*` in a name is anything."""

    names: tuple[str, ...]
    why: str
    but: tuple[str, ...] = ()


@cache
def kept_headers() -> tuple[Kept, ...]:
    """All of them, in the order of the file."""
    path = files("lectr_lab.tape").joinpath("harmless_headers.toml")
    tables = tomllib.loads(path.read_text("utf-8"))["kept"]
    return tuple(msgspec.convert(table, Kept) for table in tables)


def is_harmless_header(name: bytes) -> bool:
    """Its value may be written, but for what is cleaned in any text.

    >>> is_harmless_header(b"X-Request-Id"), is_harmless_header(b"X-Tenant")
    (True, False)
    """
    return bool(_patterns().fullmatch(name.lower()))


@cache
def _patterns() -> re.Pattern[bytes]:
    rows = (
        rb"(?!(?:%s)\Z)(?:%s)" % (_any(r.but), _any(r.names)) for r in kept_headers()
    )
    return re.compile(b"|".join(rows), re.DOTALL)


def _any(names: tuple[str, ...]) -> bytes:
    escaped = [re.escape(name.encode()).replace(rb"\*", b".*") for name in names]
    return b"|".join(escaped) or b"(?!)"

"""What looks like a secret and is none. It is data, in known_values.toml."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["plain", "id", "opaque"]

_ID_AT_END = re.compile(
    rb"(?:[_\-.](?:id|ids|uuid|guid|hash|sha|sha256)|[a-z0-9](?:Ids?|IDs?|Uuid|Hash))\Z"
)


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Members of JSON whose values are known; names without case, `-` and `_`."""

    kind: Literal["id", "opaque"]
    names: tuple[str, ...]
    why: str
    source: str


class HarmlessForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is no secret whatever it is called; a regular expression over bytes."""

    pattern: str
    why: str
    source: str


@cache
def known_members() -> tuple[Member, ...]:
    """All of them, in the order of the file."""
    return tuple(msgspec.convert(table, Member) for table in _file()["member"])


@cache
def harmless_forms() -> tuple[HarmlessForm, ...]:
    """All of them, in the order of the file."""
    return tuple(msgspec.convert(table, HarmlessForm) for table in _file()["form"])


def kind_of_member(name: bytes) -> Kind:
    """What may be looked for in the text of a member.

    >>> kind_of_member(b"tool_call_id"), kind_of_member(b"signature")
    ('id', 'opaque')
    >>> kind_of_member(b"content")
    'plain'
    """
    known = _kinds().get(name.lower().replace(b"_", b"").replace(b"-", b""))
    if known is None and _ID_AT_END.search(name):
        return "id"
    return known or "plain"


def is_harmless(word: bytes) -> bool:
    """It has the form of an id, a hash, a file.

    >>> is_harmless(b"toolu_01A09q90qw90lq917835lq9"), is_harmless(b"Zq8nT2xV9bL4")
    (True, False)
    """
    return bool(_forms().fullmatch(word))


@cache
def _kinds() -> dict[bytes, Kind]:
    return {
        name.lower().replace("_", "").encode(): row.kind
        for row in known_members()
        for name in row.names
    }


@cache
def _forms() -> re.Pattern[bytes]:
    forms = (form.pattern.encode() for form in harmless_forms())
    return re.compile(b"|".join(b"(?:%s)" % form for form in forms), re.DOTALL)


@cache
def _file() -> dict[str, Any]:
    path = files("lectr_lab.tape").joinpath("known_values.toml")
    return tomllib.loads(path.read_text("utf-8"))

"""The programs that are known, a table of known.toml each: the file says what is in it."""

import tomllib
from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

ANY = "any"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done so that calls for one vendor's API pass through."""

    vendor: str = ""
    when: tuple[str, ...] = ()
    urls: dict[str, str] = {}
    reads: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    commas: tuple[str, ...] = ()
    set: dict[str, str] = {}
    words: tuple[str, ...] = ()
    json: dict[str, Any] = {}
    files: dict[str, Any] = {}


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence, and when it is to be said."""

    when: tuple[str, ...]
    text: str


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    source: str
    checked: date
    parts: tuple[Part, ...] = ()
    notices: tuple[Notice, ...] = ()
    refused: str = ""
    install: str = ""
    versions: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    program: dict[str, Program]


@cache
def programs() -> dict[str, Program]:
    """The known programs by the name of their file.

    >>> programs()["claude"].parts[0].urls
    {'ANTHROPIC_BASE_URL': '{root}'}
    """
    file = files("lectr_lab.programs").joinpath("known.toml")
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File).program


def known(command: str) -> Program:
    """What is known of a program by its path; of an unknown one, what SDKs read.

    >>> known("/usr/bin/codex") is programs()["codex"]
    True
    >>> known("python") is known("any") is programs()["any"]
    True
    """
    return programs().get(Path(command).name) or programs()[ANY]


def holds(when: Sequence[str], facts: Collection[str]) -> bool:
    """All conditions hold.

    Args:
        when: as in known.toml.
        facts: what is so: names of variables, `NAME=value`, `login.<name>`.

    >>> holds(["KEY|login.vendor", "!CLOUD"], {"KEY"})
    True
    >>> holds(["!CLOUD|KEY"], {"KEY"})
    False
    """
    return all(_one_holds(condition, facts) for condition in when)


def _one_holds(condition: str, facts: Collection[str]) -> bool:
    either = condition.removeprefix("!").split("|")
    return any(fact in facts for fact in either) != condition.startswith("!")

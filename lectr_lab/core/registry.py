"""The providers, a row of registry.toml each: the file says what its columns are.

Those that a request can be for are a `Registry`: the file's own five, and what lectr.toml
has a table of, be it a row of the file or a server that nobody else knows.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fnmatch import translate
from functools import cache
from importlib.resources import files
from re import IGNORECASE, Pattern, compile, escape
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from lectr_lab.core.event_values import Operation

AuthStyle: TypeAlias = Literal[
    "bearer", "x-api-key", "api-key", "x-goog-api-key", "none"
]

# What is called compatible with OpenAI's answers these.
_COMPATIBLE = frozenset[Operation](["chat", "completions", "embeddings"])


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. What a provider does not have is empty."""

    base_url: str = ""
    hosts: tuple[str, ...] = ()
    auth: AuthStyle = "bearer"
    sdk_key_header: str = ""
    operations: frozenset[Operation] = _COMPATIBLE
    source: str = ""
    models: tuple[str, ...] = ()
    models_source: str = ""
    key_prefixes: tuple[str, ...] = ()
    bearer_key_prefixes: tuple[str, ...] = ()
    listed_as: str = ""
    checked: date | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    provider: dict[str, Provider]
    named: dict[str, Provider]


class Registry(Mapping[str, Provider]):
    """The providers that a request can be for, by name.

    Args:
        rows: of each, the file's row or one that lectr.toml makes.
        globs: models that lectr.toml gives to one of them: they are asked first.

    >>> mine = Registry(registry() | {"mine": Provider()}, {"mine": ("team-*",)})
    >>> mine.of_model("team-gpt-4o"), mine.of_model("gpt-4o")
    ('mine', 'openai')
    """

    def __init__(
        self,
        rows: Mapping[str, Provider],
        globs: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._rows = dict(rows)
        own = list((globs or {}).items())
        shipped = [(name, row.models) for name, row in rows.items()]
        known = [(name, some) for name, some in own + shipped if some]
        # One group for each, in this order: nearly every request is looked up.
        self._models = compile("|".join(_group(some) for _, some in known), IGNORECASE)
        self._owners = [name for name, _ in known]

    def __getitem__(self, name: str) -> Provider:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __or__(self, more: Mapping[str, Provider]) -> dict[str, Provider]:
        return self._rows | dict(more)

    def of_model(self, model: str) -> str | None:
        """Whose model this is by its name; None where the name does not tell."""
        found = self._models.match(model)
        return self._owners[found.lastindex - 1] if found and found.lastindex else None


@cache
def registry() -> Registry:
    """The providers that need nothing in lectr.toml, in the order of the file.

    >>> registry()["groq"].base_url
    'https://api.groq.com/openai/v1'
    """
    return Registry(_file().provider)


@cache
def shipped() -> Mapping[str, Provider]:
    """Every row of the file.

    >>> shipped()["deepseek"].base_url, "deepseek" in registry()
    ('https://api.deepseek.com/v1', False)
    """
    return _file().provider | _file().named


def no_provider(name: str, known: Iterable[str] | None = None) -> str:
    """What to say of a name that is no provider's.

    >>> no_provider("opnai").split(";")[0]
    "there is no provider 'opnai'"
    """
    names = ", ".join(sorted(known or registry()))
    return f"there is no provider {name!r}; the providers are {names}"


def provider_of_model(model: str) -> str | None:
    """As `Registry.of_model` of those that need nothing in lectr.toml.

    >>> provider_of_model("claude-sonnet-5"), provider_of_model("my-deployment")
    ('anthropic', None)
    """
    return registry().of_model(model)


def provider_of_key(key: bytes) -> str | None:
    """Whose key this is by how it begins, be it a row of any kind; None where that does
    not tell.

    >>> provider_of_key(b"gsk_x"), provider_of_key(b"sk-or-x"), provider_of_key(b"sk-x")
    ('groq', 'openrouter', None)
    """
    begins, owners = _key_prefixes()
    found = begins.match(key)
    return owners[found[0]] if found else None


def provider_of_host(host: str) -> str | None:
    """Whose host this is, or lies under; None where it is nobody's we know.

    >>> provider_of_host("me.openai.azure.com"), provider_of_host("127.0.0.1")
    ('azure', None)
    """
    owners = (p for h, p in _hosts() if host == h or host.endswith("." + h))
    return next(owners, None)


def offers(provider: str, operation: str) -> bool:
    """A provider answers this operation, in the form it is asked in here. One that only
    lectr.toml knows is taken for compatible with OpenAI.

    >>> offers("groq", "chat"), offers("openai", "messages"), offers("mine", "chat")
    (True, False, True)
    """
    row = shipped().get(provider)
    return operation in (row.operations if row else _COMPATIBLE)


@cache
def _file() -> _File:
    file = files("lectr_lab.core").joinpath("registry.toml")
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)


def _group(globs: tuple[str, ...]) -> str:
    return f"({'|'.join(map(translate, globs))})"


@cache
def _key_prefixes() -> tuple[Pattern[bytes], dict[bytes, str]]:
    """Of two that a key begins with, the one that is first in the file."""
    rows = shipped().items()
    owners = {p.encode(): name for name, row in rows for p in row.key_prefixes}
    return compile(b"|".join(map(escape, owners))), owners


@cache
def _hosts() -> tuple[tuple[str, str], ...]:
    return tuple(
        (host, name)
        for name, row in shipped().items()
        for host in row.hosts or (urlsplit(row.base_url).netloc,)
    )

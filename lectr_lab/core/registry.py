"""The providers, a row of registry.toml each: the file says what its columns are."""

import tomllib
from collections.abc import Mapping
from datetime import date
from fnmatch import translate
from functools import cache
from importlib.resources import files
from re import IGNORECASE, Pattern, compile
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from lectr_lab.core.event_values import Operation

AuthStyle: TypeAlias = Literal["bearer", "x-api-key", "api-key", "none"]


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row. What a provider does not have is empty."""

    base_url: str = ""
    hosts: tuple[str, ...] = ()
    auth: AuthStyle
    sdk_key_header: str = ""
    operations: frozenset[Operation]
    source: str
    models: tuple[str, ...] = ()
    models_source: str = ""
    key_prefixes: tuple[str, ...] = ()
    bearer_key_prefixes: tuple[str, ...] = ()
    listed_as: str = ""
    checked: date


class _File(msgspec.Struct, forbid_unknown_fields=True):
    provider: dict[str, Provider]


@cache
def registry() -> Mapping[str, Provider]:
    """The providers by name, in the order of the file.

    >>> registry()["groq"].base_url
    'https://api.groq.com/openai/v1'
    """
    file = files("lectr_lab.core").joinpath("registry.toml")
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File).provider


def no_provider(name: str) -> str:
    """What to say of a name that is no provider's.

    >>> no_provider("opnai").split(";")[0]
    "there is no provider 'opnai'"
    """
    known = ", ".join(sorted(registry()))
    return f"there is no provider {name!r}; the providers are {known}"


def provider_of_model(model: str) -> str | None:
    """Whose model this is by its name; None where the name does not tell.

    >>> provider_of_model("claude-sonnet-5"), provider_of_model("my-deployment")
    ('anthropic', None)
    """
    return next((p for pattern, p in _models() if pattern.match(model)), None)


def provider_of_key(key: bytes) -> str | None:
    """Whose key this is by how it begins; None where that does not tell.

    >>> provider_of_key(b"gsk_x"), provider_of_key(b"sk-x")
    ('groq', None)
    """
    return next((p for prefix, p in _key_prefixes() if key.startswith(prefix)), None)


def provider_of_host(host: str) -> str | None:
    """Whose host this is, or lies under; None where it is nobody's we know.

    >>> provider_of_host("me.openai.azure.com"), provider_of_host("127.0.0.1")
    ('azure', None)
    """
    owners = (p for h, p in _hosts() if host == h or host.endswith("." + h))
    return next(owners, None)


def offers(provider: str, operation: str) -> bool:
    """A provider answers this operation, in the form it is asked in here.

    >>> offers("groq", "chat"), offers("openai", "messages")
    (True, False)
    """
    row = registry().get(provider)
    return row is not None and operation in row.operations


@cache
def _models() -> tuple[tuple[Pattern[str], str], ...]:
    return tuple(
        (compile("|".join(map(translate, row.models)), IGNORECASE), name)
        for name, row in registry().items()
        if row.models
    )


@cache
def _key_prefixes() -> tuple[tuple[bytes, str], ...]:
    rows = registry().items()
    return tuple((p.encode(), name) for name, row in rows for p in row.key_prefixes)


@cache
def _hosts() -> tuple[tuple[str, str], ...]:
    return tuple(
        (host, name)
        for name, row in registry().items()
        for host in row.hosts or (urlsplit(row.base_url).netloc,)
    )

"""What kind of credential a request is paid with. `credentials.toml` has the forms."""

import re
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from lectr_lab.core.event_values import Credential
from lectr_lab.core.registry import provider_of_key


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefixes: tuple[str, ...]
    source: str
    checked: date
    headers: tuple[str, ...] = ()
    word: str = ""

    def begins(self, key: bytes) -> bool:
        """The key has one of its prefixes."""
        return key.startswith(tuple(prefix.encode() for prefix in self.prefixes))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plan: _Kind
    token: _Kind
    api_key: _Kind


def plan_headers() -> frozenset[bytes]:
    """Headers that a plan's login has beside its token.

    >>> sorted(plan_headers())
    [b'chatgpt-account-id']
    """
    return frozenset(name.encode() for name in _file().plan.headers)


def credential_of(
    key: bytes | None, *, key_header: bool = False, plan_header: bool = False
) -> Credential:
    """What kind a provider's key is.

    Args:
        key: without its scheme; None: there is none.
        key_header: it stood where only API keys do (`x-api-key`, `?key=`).
        plan_header: one of `plan_headers` is beside it.

    >>> credential_of(b"sk-ant-oat01-x"), credential_of(b"sk-ant-api03-x")
    ('plan', 'api_key')
    >>> credential_of(b"eyJh.x.y"), credential_of(None)
    ('other', 'none')
    """
    if not key:
        return "none"
    forms = _file()
    if plan_header or forms.plan.begins(key):
        return "plan"
    if forms.token.begins(key):
        return "other"
    known = key_header or forms.api_key.begins(key) or provider_of_key(key) is not None
    return "api_key" if known or _word().fullmatch(key) else "other"


@cache
def _file() -> _File:
    file = files("lectr_lab.core").joinpath("credentials.toml")
    return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)


@cache
def _word() -> re.Pattern[bytes]:
    return re.compile(_file().api_key.word.encode())

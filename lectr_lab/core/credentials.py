"""What kind of credential a request is paid with. `credentials.toml` has the forms."""

import re
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from lectr_lab.core.event_values import Credential
from lectr_lab.core.registry import provider_of_key


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefixes: tuple[str, ...]
    source: str
    checked: date
    headers: tuple[str, ...] = ()
    word: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    plan: _Kind
    token: _Kind
    api_key: _Kind


class _Forms(NamedTuple):
    """The same, as keys are compared with it."""

    plans: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    api_keys: tuple[bytes, ...]
    word: re.Pattern[bytes]
    plan_headers: frozenset[bytes]


def plan_headers() -> frozenset[bytes]:
    """Headers that a plan's login has beside its token.

    >>> sorted(plan_headers())
    [b'chatgpt-account-id']
    """
    return _forms().plan_headers


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
    forms = _forms()
    if plan_header or key.startswith(forms.plans):
        return "plan"
    if key.startswith(forms.tokens):
        return "other"
    known = key_header or key.startswith(forms.api_keys)
    known = known or provider_of_key(key) is not None
    return "api_key" if known or forms.word.fullmatch(key) else "other"


@cache
def _forms() -> _Forms:
    text = files("lectr_lab.core").joinpath("credentials.toml").read_text("utf-8")
    file = msgspec.convert(tomllib.loads(text), _File)
    kinds = (file.plan, file.token, file.api_key)
    plans, tokens, api_keys = (tuple(map(str.encode, k.prefixes)) for k in kinds)
    word = re.compile(file.api_key.word.encode())
    headers = frozenset(map(str.encode, file.plan.headers))
    return _Forms(plans, tokens, api_keys, word, headers)

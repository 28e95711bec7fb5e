"""Whether a request asks for a conversation in short, told by how its last text begins.

`compactions.toml` has digests of the beginnings: of a text no more is looked at, and of
what is looked at nothing is kept.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from lectr_lab.core.llm_api.request_body import Message

_CHARS = 48


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    begins: tuple[str, ...]
    source: str
    checked: date


def asks_to_compact(messages: Sequence[Message]) -> bool:
    """The last message ends with such a text.

    >>> asks_to_compact([Message(role="user", content="Say hello to everybody here. " * 9)])
    False
    """
    content = messages[-1].content if messages else None
    text = content[-1].text if isinstance(content, list) and content else content
    if not isinstance(text, str) or len(text) <= _CHARS:
        return False
    return digest_of(text) in _begins()


def digest_of(text: str) -> str:
    """Of how a text begins, as `compactions.toml` has it.

    >>> digest_of("x" * 48) == digest_of("x" * 99)
    True
    """
    data = text[:_CHARS].encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()


@cache
def _begins() -> frozenset[str]:
    file = files("lectr_lab.core.llm_api").joinpath("compactions.toml")
    rows = msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, _Row])
    return frozenset(digest for row in rows.values() for digest in row.begins)

"""Counts that follow the prompt: a vendor that remembers the prefixes it was asked.

Tokens are a quarter of the characters: made up, as all of this provider is. What is
remembered stays as long as the provider runs.
"""

import json
from hashlib import blake2b
from typing import Any

_CHARS_A_TOKEN = 4
_LEAST_TOKENS = 1024  # Anthropic's and OpenAI's least for most models
_STEP_TOKENS = 128  # OpenAI's
OUTPUT_TOKENS = 60

Counts = dict[str, int]


class PrefixCache:
    """What one vendor's cache holds, whoever asks."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def anthropic(self, body: dict[str, Any]) -> Counts:
        """What is marked is kept: up to the last mark, tools before system before
        messages."""
        joints = [
            *_list(body, "tools"),
            *_list(body, "system"),
            *_list(body, "messages"),
        ]
        marked = [
            n for n, joint in enumerate(joints) if "cache_control" in _text(joint)
        ]
        upto = marked[-1] + 1 if marked else 0
        plain = [_text(_unmarked(joint)) for joint in joints]
        model = str(body.get("model"))
        read = self._read([model, *plain[:upto]])
        whole, kept = _tokens(plain), _tokens(plain[:upto])
        written = kept - read if kept >= _LEAST_TOKENS else 0
        return {
            "input_tokens": whole - read - written,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
        }

    def openai(self, body: dict[str, Any]) -> Counts:
        """All is kept, in steps."""
        joints = [
            body.get("instructions"),
            *_list(body, "tools"),
            *_list(body, "input"),
        ]
        plain = [_text(joint) for joint in joints]
        read = self._read([str(body.get("model")), *plain])
        return {
            "input_tokens": _tokens(plain),
            "cached_tokens": read // _STEP_TOKENS * _STEP_TOKENS,
        }

    def _read(self, texts: list[str]) -> int:
        """Tokens of the longest known prefix; all of it is known from now on. The
        first is the model, which is no part of the prompt."""
        chain, found = blake2b(), 0
        for n, text in enumerate(texts):
            chain.update(text.encode())
            digest = chain.digest()
            if digest in self._known:
                found = n
            self._known.add(digest)
        read = _tokens(texts[1 : found + 1])
        return read if read >= _LEAST_TOKENS else 0


def _list(body: dict[str, Any], field: str) -> list[Any]:
    value = body.get(field) or []
    return value if isinstance(value, list) else [value]


def _unmarked(joint: Any) -> Any:
    """Marks move on with every turn, and are no part of what is kept."""
    if isinstance(joint, dict):
        kept = {n: v for n, v in joint.items() if n != "cache_control"}
        return {n: _unmarked(v) for n, v in kept.items()}
    return [_unmarked(one) for one in joint] if isinstance(joint, list) else joint


def _text(joint: Any) -> str:
    return json.dumps(joint, sort_keys=True)


def _tokens(texts: list[str]) -> int:
    return sum(map(len, texts)) // _CHARS_A_TOKEN

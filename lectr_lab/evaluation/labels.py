"""Reads what a person would have answered: the label of each prompt.

A mapping of prompts to labels, or a file of them. JSONL has one
`{"prompt": "…", "label": "…"}` a line, TOML a `[[label]]` table each with the same two
names. A prompt is what the user said last, less its spaces at the ends and in between.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from lectr_lab.config.text_files import read_text
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.toml_text import parsed

Labels: TypeAlias = Mapping[str, str] | Path | str
_EXAMPLE = "Write [[label]] tables, each with a prompt and a label."


class _Label(msgspec.Struct):
    prompt: str
    label: Any


class _File(msgspec.Struct):
    label: list[_Label] = []


def read_labels(labels: Labels) -> dict[str, str]:
    """Labels by prompt, spaces put together; see `key_of`.

    Args:
        labels: a mapping, or the path of a `*.jsonl` or `*.toml` file. A label that is
            no text, such as an object, is taken as JSON.

    Raises:
        ConfigError: the file cannot be read; names the file and line, never content.

    >>> read_labels({"Is it  good?": "yes"})
    {'Is it good?': 'yes'}
    """
    if isinstance(labels, Mapping):
        return {key_of(prompt): _as_text(label) for prompt, label in labels.items()}
    path = Path(labels)
    text = read_text(path)
    entries = _toml(path, text) if path.suffix == ".toml" else _jsonl(path, text)
    return {key_of(entry.prompt): _as_text(entry.label) for entry in entries}


def key_of(prompt: str) -> str:
    """A prompt as labels go by it.

    >>> key_of("  Is it\\n good? ")
    'Is it good?'
    """
    return " ".join(prompt.split())


def _as_text(label: Any) -> str:
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def _jsonl(path: Path, text: str) -> list[_Label]:
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                entries.append(msgspec.json.decode(line, type=_Label))
            except msgspec.MsgspecError:
                raise ConfigError(
                    f'{path}, line {number}: write {{"prompt": "…", "label": "…"}}.'
                ) from None
    return entries


def _toml(path: Path, text: str) -> list[_Label]:
    return parsed(text, str(path), example=_EXAMPLE, content=True).struct(_File).label

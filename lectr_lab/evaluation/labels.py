"""Reads what a person would have answered: the label of each prompt.

A mapping of prompts to labels, or a file of them. JSONL has one
`{"prompt": "…", "label": "…"}` a line, TOML a `[[label]]` table each with the same two
names. A prompt is what the user said last, less its spaces at the ends and in between.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from lectr_lab.core.errors import ConfigError

Labels: TypeAlias = Mapping[str, str] | Path | str


class _Label(msgspec.Struct):
    prompt: str
    label: Any


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
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.") from None
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
    try:
        tables = tomllib.loads(text).get("label", [])
        return msgspec.convert(tables, list[_Label])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError):
        raise ConfigError(
            f"{path}: write [[label]] tables, each with a prompt and a label."
        ) from None

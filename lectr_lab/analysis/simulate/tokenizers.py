"""Whether a prompt has as many tokens for another model: `tokenizers.toml`."""

import tomllib
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec


class Tokenizer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Models that cut text into the same tokens, and who says so."""

    name: str
    models: tuple[str, ...]  # globs, lower case, without a path
    source: str
    checked: date


def tokenizer_of(model: str) -> str | None:
    """The family whose tokenizer a model has; None where it is not known.

    >>> tokenizer_of("gpt-4o-mini-2024-07-18"), tokenizer_of("openai/gpt-oss-120b")
    ('o200k', 'o200k')
    >>> tokenizer_of("my-deployment")
    """
    name = model.lower().rpartition("/")[2]
    return next(
        (
            family.name
            for family in tokenizers()
            if any(fnmatchcase(name, glob) for glob in family.models)
        ),
        None,
    )


def same_tokens(one: str, other: str) -> bool:
    """A prompt is known to have as many tokens for the one as for the other.

    >>> same_tokens("gpt-4o", "gpt-4.1-nano"), same_tokens("gpt-4", "gpt-4o")
    (True, False)
    """
    family = tokenizer_of(one)
    return one == other or (family is not None and family == tokenizer_of(other))


@cache
def tokenizers() -> tuple[Tokenizer, ...]:
    """The families, in the order of the file."""
    text = (
        files("lectr_lab.analysis.simulate")
        .joinpath("tokenizers.toml")
        .read_text("utf-8")
    )
    return tuple(
        msgspec.convert(table, Tokenizer) for table in tomllib.loads(text)["tokenizer"]
    )

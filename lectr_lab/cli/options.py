"""An option that many commands have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from lectr_lab.core.errors import ConfigError

_NAMES = ["--lab", "--folder"]


def folder(_: Any, tokens: Sequence[Token]) -> Path:
    """The folder that was named.

    Raises:
        ConfigError: it is a URL; of those, other commands are asked.
    """
    text = tokens[0].value
    if is_far(text):
        raise ConfigError(
            f"This works on a lab folder of this machine, and {text} is none. What reads a "
            "prefix of an object store: report, dashboard, export, forecast, odd, "
            "recommend, reconcile, sessions and simulate."
        )
    return Path(text)


def folder_or_url(_: Any, tokens: Sequence[Token]) -> Path | str:
    """The folder that was named; or the URL, as it was written."""
    text = tokens[0].value
    return text if is_far(text) else Path(text)


def is_far(lab: Path | str) -> bool:
    """It is a URL, good or bad: `scan` says what is wrong with it.

    >>> is_far("s3://bucket/prefix"), is_far("lab"), is_far(Path("lab"))
    (True, False, False)
    """
    return isinstance(lab, str) and "://" in lab


Lab = Annotated[Path | None, Parameter(name=_NAMES, converter=folder)]
"""The lab folder, by its name and by the one that it had before."""

LabOrUrl = Annotated[Path | str | None, Parameter(name=_NAMES, converter=folder_or_url)]
"""A log to read: a lab folder, or a prefix that labs are shipped to."""

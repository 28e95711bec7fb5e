"""Lines for whoever started the program, if anybody still looks.

As sentences, or as one JSON object a line where LECTR_LOG_FORMAT is `json` (`serve
--log-format json`): the variable reaches every process that one starts.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from lectr_lab.core.printable import printable

FORMAT_VARIABLE = "LECTR_LOG_FORMAT"
Level: TypeAlias = Literal["info", "warning", "error"]


class Line(msgspec.Struct, frozen=True):
    """A line as JSON. `code` is a word for programs; the sentence may change."""

    time: str  # UTC, RFC 3339
    level: Level
    code: str
    sentence: str


def say(line: str, *, code: str = "note", level: Level = "info") -> None:
    """Write a line to stderr. Never fails: a terminal may be closed, a pipe broken.

    Args:
        line: without anything of a request in it.
        code: what it is about, in one word.
        level: whether somebody should look.
    """
    text = printable(line)
    written = f"lectr-lab: {text}"
    if os.environ.get(FORMAT_VARIABLE) == "json":
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        written = msgspec.json.encode(Line(now, level, code, text)).decode()
    with contextlib.suppress(OSError, ValueError):
        # In one write: several processes may have this stream.
        sys.stderr.write(f"{written}\n")
        sys.stderr.flush()


def muted() -> Callable[[], object]:
    """Have this process and its libraries say nothing; call it to have them say again."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return lambda: os.dup2(before, 2)

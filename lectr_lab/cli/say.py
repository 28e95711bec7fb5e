"""What a command says on standard output: sentences and tables, or JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lectr_lab.cli.width import wide_console


def say(text: str) -> None:
    """Print sentences and tables; in a terminal no line breaks inside a word.

    Nothing that a client named steers the terminal.
    """
    from lectr_lab.core.printable import printable
    from lectr_lab.tables.prose import folded

    width = wide_console().width if sys.stdout.isatty() else None
    print(folded(printable(text), width))


def say_json(whole: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print exact values under the names that frames in Python have; unknown is null.

    In ASCII, so that no name steers a terminal.
    """
    print(json.dumps(whole, indent=2, default=str, allow_nan=False))

"""Lines for whoever started the program, if anybody still looks."""

import contextlib
import sys

from lectr_lab.core.printable import printable


def say(line: str) -> None:
    """Write a line to stderr. Never fails: a terminal may be closed, a pipe broken.

    Args:
        line: without anything of a request in it.
    """
    with contextlib.suppress(OSError, ValueError):
        print(f"lectr-lab: {printable(line)}", file=sys.stderr, flush=True)

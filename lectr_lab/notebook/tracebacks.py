"""Tracebacks in cells without keys of ours.

`%xmode Verbose` shows the variables of every function on the way, and at its end the
request's bytes, which an HTTP library has put together: no masked string is among them.
"""

import sys
from typing import Any

from lectr_lab.core.masked_key import without_keys


def mask_tracebacks() -> None:
    """Mask our keys in whatever this IPython shows of an exception. Idempotent."""
    ipython = sys.modules.get("IPython")  # where nobody loaded it, there are no cells
    shell = ipython.get_ipython() if ipython else None
    shown = getattr(shell, "InteractiveTB", None)
    if shown is None or hasattr(shown.structured_traceback, "masks_keys"):
        return
    of = shown.structured_traceback

    def masked(*args: Any, **kwargs: Any) -> list[str]:
        return [without_keys(line) for line in of(*args, **kwargs)]

    masked.masks_keys = True  # type: ignore[attr-defined]
    shown.structured_traceback = masked

"""What the Tab key needs in a kernel: the public names, loaded while nobody waits.

IPython asks each name of `lectr.` what it is, and gives up after 0.4 s; the first answer
loads polars and Altair, and so all others were `<unknown>`. Loaded in the kernel's own
loop, a module at a time, they stand in nobody's way, and in no other thread's.
"""

import asyncio
import importlib
from collections.abc import Mapping
from contextlib import suppress

_FIRST_S = 1.0  # after the cell that imports us
_BETWEEN_S = 0.05  # in which a cell can begin


def load_when_idle(modules: Mapping[str, str]) -> None:
    """Load the modules of these names one after another, in the loop that runs.

    Where none does, as in a program or a plain IPython, nothing is loaded.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    left = sorted(set(modules.values()))

    def load_next() -> None:
        with suppress(ImportError):  # an extra that is not there: said when it is used
            importlib.import_module(left.pop())
        if left:
            loop.call_later(_BETWEEN_S, load_next)

    if left:
        loop.call_later(_FIRST_S, load_next)

"""What cells show of exceptions: an error of ours as its sentence, and no key in any.

`import lectr_lab` in a kernel is enough. `%tb` then shows the whole way to the error, and
`%xmode Verbose` does so at once; what is no error of ours is shown as ever.

`%xmode Verbose` shows the variables of every function on the way, and at its end the
request's bytes, which an HTTP library has put together: no masked string is among them.
"""

import linecache
import sys
from types import TracebackType
from typing import Any

from lectr_lab.core.errors import LabError
from lectr_lab.core.masked_key import without_keys

_IN_FULL = ("Verbose", "Docs")  # modes in which somebody wants to see it all


def mask_tracebacks() -> None:
    """Mask our keys in whatever this IPython shows of an exception, and show an error
    of ours as its sentence. Idempotent."""
    ipython = sys.modules.get("IPython")  # where nobody loaded it, there are no cells
    get = getattr(ipython, "get_ipython", None)
    shell = get() if get else None
    shown = getattr(shell, "InteractiveTB", None)
    if shown is None or hasattr(shown.structured_traceback, "masks_keys"):
        return
    of = shown.structured_traceback

    def masked(*args: Any, **kwargs: Any) -> list[str]:
        lines = _sentence(shell, *args) or of(*args, **kwargs)
        return [without_keys(line) for line in lines]

    masked.masks_keys = True  # type: ignore[attr-defined]
    shown.structured_traceback = masked


def _sentence(shell: Any, kind: Any = None, error: Any = None, way: Any = None) -> Any:
    """An error of ours when it is first shown: what it says, and where the cell met it."""
    if not isinstance(error, LabError) or shell.InteractiveTB.mode in _IN_FULL:
        return None
    if getattr(error, "was_shown", None) is way:
        return None  # by `%tb`, which asks for the same once more
    error.was_shown = way  # type: ignore[attr-defined]
    said = "".join(shell.InteractiveTB.get_exception_only(kind, error)).rstrip()
    return [said, f"{_where(shell, way)}`%tb` shows the whole way there."]


def _where(shell: Any, way: TracebackType | None) -> str:
    """The last line of a cell on the way to an error."""
    found = ""
    while way is not None:
        file, number = way.tb_frame.f_code.co_filename, way.tb_lineno
        named = shell.compile.format_code_name(file)
        if named:
            code = linecache.getline(file, number).strip()
            found = f"{' '.join(named)}, line {number}: {code}\n"
        way = way.tb_next
    return found

"""One output of a cell, kept up to date while what it shows changes."""

import threading
import time
from collections.abc import Callable
from typing import Any

EVERY_S = 1.0


def display_and_follow(shown: Any, goes_on: Callable[[Any], bool]) -> Any:
    """Display an object, and again whenever its HTML has changed.

    Args:
        shown: has `_repr_html_` and a `repr`.
        goes_on: asked once a second with the output that this returned; the first no
            is the end.

    Returns:
        The output; None in a terminal, where it is printed once and cannot change.
    """
    from IPython import get_ipython
    from IPython.display import display

    if not hasattr(get_ipython(), "kernel"):
        print(repr(shown))
        return None
    first = _bundle(shown)
    output = display(first, raw=True, display_id=True)
    follower = threading.Thread(
        target=_follow, args=(shown, goes_on, output, first), daemon=True
    )
    follower.start()
    return output


def _follow(
    shown: Any, goes_on: Callable[[Any], bool], output: Any, last: dict[str, str]
) -> None:
    more = True
    while more:
        time.sleep(EVERY_S)
        more = goes_on(output)
        now = _bundle(shown)
        if now != last:
            output.update(now, raw=True)
            last = now


def _bundle(shown: Any) -> dict[str, str]:
    return {"text/plain": repr(shown), "text/html": shown._repr_html_()}

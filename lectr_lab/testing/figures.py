"""What a test asks of its log: all that it needs is loaded before the test begins.

A module that is first imported while time is frozen keeps the frozen clock for good, and
one imported while the file system is a fake is not found at all.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from lectr_lab.core.errors import MissingExtra
from lectr_lab.core.event import Event

EXTRA = "pytest"  # brings what is missing


class Figures(NamedTuple):
    """The ways to look at a log.

    `read_prices` reads a file of the user's own prices, `priced` makes a frame of events
    and these, and `assert_budget` is `lectr_lab.assert_budget`.
    """

    read_prices: Callable[[Any], Any]
    priced: Callable[[Sequence[Event], Any], Any]
    assert_budget: Callable[..., None]


@cache
def figures() -> Figures:
    """Load what figures are made with, once.

    Returns:
        The ways to look; where the small install leaves something out, ones that say
        what brings it.

    >>> figures().priced([], ()).height
    0
    """
    try:
        return _loaded()
    except ModuleNotFoundError as error:
        return Figures(*[_refusing(error.name)] * len(Figures._fields))


def _loaded() -> Figures:
    from lectr_lab.analysis.pricing.price_file import read_prices
    from lectr_lab.analysis.pricing.priced import priced
    from lectr_lab.log.schema import frame
    from lectr_lab.testing.budget import assert_budget

    def log_of(events: Sequence[Event], own: Any) -> Any:
        log = priced(frame(list(events)).lazy(), own)
        return log.sort("started_at", maintain_order=True).collect()

    return Figures(read_prices, log_of, assert_budget)


def _refusing(module: str | None) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise MissingExtra(module, EXTRA)

    return refuse

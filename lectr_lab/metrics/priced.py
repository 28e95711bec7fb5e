"""What requests cost, where there is a price list: it comes with the `lab` extra."""

from collections.abc import Callable

import polars as pl

from lectr_lab.log.folder import LabFolder

Priced = Callable[[pl.LazyFrame], pl.LazyFrame]


def priced_by_list(lab: LabFolder) -> Priced | None:
    """Adds `cost_usd` by a lab's own prices and the list; None: there is none.

    Raises:
        ConfigError: the lab's own prices cannot be followed.
    """
    try:
        from lectr_lab.analysis.pricing.priced import priced
    except ModuleNotFoundError:
        return None
    from lectr_lab.analysis.scan import own_prices

    own = own_prices(lab.root)
    return lambda log: priced(log, own)

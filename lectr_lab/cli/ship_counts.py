"""Counting what was merged in a prefix, by whoever merges there."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lectr_lab.shipping.stores import RemoteStore

_AT_A_TIME = 16


def count_some(store: "RemoteStore") -> bool:
    """Count some log objects, and sweep what stands for nothing; whether there is more.

    Raises:
        StoreError: the store cannot be asked.
    """
    # Prices' lists are loaded where something is merged, and by no other shipper.
    from lectr_lab.analysis.cells.prefix_upkeep import count_prefix, sweep_sets

    if count_prefix(store, most=_AT_A_TIME) >= _AT_A_TIME:
        return True
    sweep_sets(store, datetime.now(UTC))
    return False

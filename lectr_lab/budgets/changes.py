"""What requests that are over change in their sums."""

from collections.abc import Sequence
from typing import NamedTuple

from lectr_lab.budgets.meters import Sum
from lectr_lab.budgets.table import MOST_PUSD, Cell


class Change(NamedTuple):
    """What is to be written in a sum. 1e-12 USD; what is given back is below 0."""

    sum: Sum
    spent: int = 0
    reserved: int = 0
    unbounded: int = 0
    requests: int = 0
    unpriced: int = 0
    estimated: int = 0


class Owed:
    """What all changes of a sum that are still to be written come to."""

    __slots__ = (
        "estimated",
        "requests",
        "reserved",
        "spent",
        "sum",
        "unbounded",
        "unpriced",
    )

    def __init__(self, of: Sum) -> None:
        self.sum = of
        self.spent = self.reserved = self.unbounded = 0
        self.requests = self.unpriced = self.estimated = 0

    def add(
        self,
        spent: int,
        reserved: int,
        unbounded: int = 0,
        requests: int = 0,
        unpriced: int = 0,
        estimated: int = 0,
    ) -> None:
        """One more, by the fields of `Change`."""
        self.spent += spent
        self.reserved += reserved
        self.unbounded += unbounded
        self.requests += requests
        self.unpriced += unpriced
        self.estimated += estimated

    @property
    def together(self) -> Change:
        """As one change."""
        return Change(
            self.sum,
            self.spent,
            self.reserved,
            self.unbounded,
            self.requests,
            self.unpriced,
            self.estimated,
        )


def changed(cell: Cell, changes: Sequence[Change], now_s: float) -> Cell:
    """A sum with what is owed to it."""
    key, start_s, end_s, _, spent, reserved, unbounded, *counts, told = cell
    requests, unpriced, estimated = counts
    for change in changes:
        spent += change.spent
        reserved += change.reserved
        unbounded += change.unbounded
        requests += change.requests
        unpriced += change.unpriced
        estimated += change.estimated
    if spent < 0 or reserved < 0 or requests < 0 or estimated < 0:
        numbers = (spent, reserved, unbounded, requests, unpriced, estimated)
        lowest = [max(number, 0) for number in numbers]
        spent, reserved, unbounded, requests, unpriced, estimated = lowest
    return Cell(
        key,
        start_s,
        end_s,
        now_s,
        min(spent, MOST_PUSD),
        min(reserved, MOST_PUSD),
        unbounded,
        requests,
        unpriced,
        estimated,
        told,
    )

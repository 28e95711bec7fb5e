"""A lease is as large as what was taken of late, and a small part of what is left."""

import pytest

from lectr_lab.budgets.leases import BUSY, PART, Leases
from lectr_lab.budgets.meters import Meter, Sum, Whose
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash

MUCH = 10**9


@pytest.fixture
def sums() -> list[Sum]:
    budget = BudgetSettings(usd=1, per="day", whom="user")
    meter = Meter(budget, KeyedHash("a secret of sixteen"))
    found = [meter.sum_of(Whose("acme", user=user), 0.0) for user in "ab"]
    return [one for one in found if one is not None]


def lent(one: Sum, times: int, pusd: int, room: int = MUCH) -> Leases:
    """After that many requests and a payment."""
    leases = Leases()
    for _ in range(times):
        leases.note(one, pusd)
    for planned in leases.plan(lend=True):
        leases.put(planned.key, leases.size(planned.key, room))
    return leases


@pytest.mark.parametrize(
    ("times", "room", "left"),
    [
        (BUSY - 1, MUCH, 0),
        (BUSY, MUCH, 2 * BUSY * 10),
        (BUSY, PART * 25, 25),
        (BUSY, PART * 19, 0),
        (BUSY, -5, 0),
    ],
)
def test_its_size(sums, times, room, left):
    """Nothing for few requests, nor where it would not suffice for two."""
    leases = lent(sums[0], times, 10, room)
    assert leases.left(sums[0].key) == left
    assert bool(leases) is (left > 0)


def test_of_all_sums_or_of_none(sums):
    """Where one of a request's sums has no lease, the other's stays as it is."""
    leases = lent(sums[0], 10, 10)
    assert not leases.take(sums, 10)
    assert leases.left(sums[0].key) == 200
    assert leases.take(sums[:1], 150)
    assert not leases.take(sums[:1], 51)
    assert leases.left(sums[0].key) == 50


def test_without_requests_it_is_given_back(sums):
    """At the next payment, and then it is forgotten."""
    leases = lent(sums[0], 10, 10)
    assert leases.plan(lend=True) == [sums[0]]
    leases.put(sums[0].key, leases.size(sums[0].key, MUCH))
    assert not leases
    assert leases.plan(lend=True) == []

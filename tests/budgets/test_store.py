"""The sums of several processes: whatever they do, in whatever order, no budget that
stops is passed, and nothing is counted twice or lost."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from budgets import hammer
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.budgets.changes import Change
from lectr_lab.budgets.meters import PUSD_PER_USD, Meter, Whose
from lectr_lab.budgets.states import budget_states, release
from lectr_lab.budgets.store import NEAR, REACHED, Store
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.identity.keyed_hash import KeyedHash
from lectr_lab.log.folder import LabFolder

HASHES = KeyedHash("a secret of sixteen")
LIMIT = 1000
NOON_S = 43_200.0


def meter(pusd: int = LIMIT, **more) -> Meter:
    usual = {"per": "day", "action": "stop"}
    return Meter(BudgetSettings(usd=pusd / PUSD_PER_USD, **usual | more), HASHES)


def opened(lab: LabFolder, *meters: Meter) -> Store:
    return Store(lab, meters, now_s=lambda: NOON_S)


def killed(store: Store) -> None:
    """What is left of a process that was killed: its files, and no lock on them."""
    for held in store._held.values():
        os.close(held._fd)
    for file in (*store._tables.values(), *store._answered, store._lock):
        file.close()


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("reserve"),
            st.integers(0, 2),
            st.sampled_from("ab"),
            st.one_of(st.integers(1, 5), st.integers(1, 400)),
            st.integers(1, 8),
        ),
        st.tuples(st.just("settle"), st.integers(0, 30), st.floats(0, 1)),
        st.tuples(st.just("pay"), st.integers(0, 2), st.booleans()),
        st.tuples(st.just("kill"), st.integers(0, 2), st.booleans()),
        st.tuples(st.just("leave"), st.integers(0, 2)),
        st.tuples(st.just("release")),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_schedule_passes_a_budget(steps):
    """Of reservations, ends, deaths and releases in three processes: spent and reserved
    together stay below the limit, and at the end the sum is what requests did cost."""
    with TemporaryDirectory() as folder:
        lab = LabFolder.create(Path(folder) / "lab")
        budgets = [meter(), meter(600, whom="user"), meter(9_999, action="warn")]
        stores = [opened(lab, *budgets) for _ in range(3)]
        running: list[tuple[int, str, int, list]] = []
        cost: dict[str, int] = defaultdict(int)
        for what, *told in steps:
            if what == "reserve":
                process, user, pusd, times = told
                whose = Whose("acme", user=user)
                sums = [m.sum_of(whose, NOON_S) for m in budgets[:2]]
                for _ in range(times):
                    if stores[process].reserve(sums, pusd) is None:
                        running.append((process, user, pusd, sums))
            elif what == "settle" and running:
                nth, share = told
                process, user, pusd, sums = running.pop(nth % len(running))
                spent = int(pusd * share)
                cost[user] += spent
                stores[process].settle([Change(s, spent, -pusd, 0, 1) for s in sums])
            elif what == "pay":
                process, lend = told
                stores[process].pay(lend=lend)
            elif what in ("kill", "leave"):
                process = told[0]
                if what == "leave":
                    stores[process].close()
                else:
                    stores[process].pay(lend=told[1])
                    killed(stores[process])
                running = [one for one in running if one[0] != process]
                stores[process] = opened(lab, *budgets)
            elif what == "release":
                for store in stores:
                    store.pay(lend=True)
                release(lab, budgets)
            at_most = defaultdict(int, cost)
            for _, user, pusd, _ in running:
                at_most[user] += pusd
            assert sum(at_most.values()) <= LIMIT
            assert all(pusd <= 600 for pusd in at_most.values())
            for budget, limit in ((budgets[0], LIMIT), (budgets[1], 600)):
                for user in "ab":
                    one = budget.sum_of(Whose("acme", user=user), NOON_S)
                    found = stores[0]._tables[budget.id].find(one.key)
                    if found is not None:
                        assert found[1].spent + found[1].reserved <= limit

        for process, user, pusd, sums in running:
            cost[user] += pusd
            stores[process].settle([Change(s, pusd, -pusd, 0, 1) for s in sums])
        for store in stores:
            store.pay()
        release(lab, budgets)

        assert sum(stores[0].spent(budgets[0]).values()) == sum(cost.values()) <= LIMIT
        assert all(pusd <= 600 for pusd in stores[0].spent(budgets[1]).values())
        states = budget_states(lab, budgets, NOON_S)
        assert all(s.held_usd == s.lost_usd == 0 for s in states)
        for store in stores:
            store.close()


def test_all_sums_of_a_request_or_none(lab):
    """Where one has no room, nothing is reserved in the others."""
    wide, narrow = meter(), meter(100, per="month")
    store = opened(lab, wide, narrow)
    sums = [m.sum_of(Whose("acme"), NOON_S) for m in (wide, narrow)]

    reached = store.reserve(sums, 101)

    assert reached is not None
    assert (reached.sum, reached.spent, reached.wanted) == (sums[1], 0, 101)
    assert store.reserve(sums[:1], LIMIT) is None
    store.close()


def test_where_many_come_most_take_no_lock(lab, monkeypatch):
    """What they may cost was set aside at the last payment; a lease is given back when
    few come, and lost with its process."""
    budget = meter(1_000_000)
    store, other = opened(lab, budget), opened(lab, budget)
    found = budget.sum_of(Whose("acme"), NOON_S)
    for _ in range(200):
        assert store.reserve([found], 10) is None
    store.pay(lend=True)
    locks, take = [], store._lock.take
    monkeypatch.setattr(store._lock, "take", lambda: locks.append(1) or take())

    for _ in range(200):
        assert store.reserve([found], 10) is None

    [now] = budget_states(lab, [budget], NOON_S)
    assert (locks, store.lends, store.busy) == ([], True, True)
    assert now.held_usd * PUSD_PER_USD == pytest.approx(2_000 + 4_000)
    assert other.reserve([found], 1_000_000 - 6_000) is None
    assert other.reserve([found], 1) is not None
    store.settle([Change(found, 7, -10, 0, 1)] * 400)
    store.pay(lend=True)
    store.pay(lend=True)
    assert not store.lends
    assert not store.owes
    other.settle([Change(found, 0, 6_000 - 1_000_000)])
    other.pay()
    [now] = budget_states(lab, [budget], NOON_S)
    assert (now.held_usd, now.requests) == (0, 400)
    for _ in range(10):
        assert store.reserve([found], 10) is None
    store.pay(lend=True)
    killed(store)
    [now] = budget_states(lab, [budget], NOON_S)
    assert now.lost_usd * PUSD_PER_USD == pytest.approx(100 + 200)
    other.close()


def test_near_the_limit_nothing_is_set_aside_for_others(lab):
    """Nobody is refused for a request that did not come: the last one finds all room."""
    budget = meter()
    one, other = opened(lab, budget), opened(lab, budget)
    found = budget.sum_of(Whose("acme"), NOON_S)
    for _ in range(9):
        assert one.reserve([found], 100) is None
        one.pay(lend=True)
    for _ in range(6):
        assert one.reserve([found], 10) is None
    one.pay(lend=True)

    assert not one.lends
    assert other.reserve([found], 41) is not None
    assert other.reserve([found], 40) is None
    one.close()
    other.close()


def test_what_it_set_aside_itself_refuses_nobody(lab):
    """A request that needs more than the lease has finds the lease's room as well."""
    budget = meter(100_000)
    store = opened(lab, budget)
    found = budget.sum_of(Whose("acme"), NOON_S)
    for _ in range(10):
        assert store.reserve([found], 10) is None
    store.pay(lend=True)
    assert store.lends

    assert store.reserve([found], 100_000 - 100) is None
    refused = store.reserve([found], 1)
    assert refused is not None
    assert refused.reserved == 100_000
    store.close()


def test_each_word_is_said_once(lab):
    """By one process, whichever comes by."""
    budget = meter()
    one, other = opened(lab, budget), opened(lab, budget)
    found = budget.sum_of(Whose("acme"), NOON_S)
    said = []
    for store in (one, other, one, other, one):
        store.settle([Change(found, 300)])
        store.pay()
        said += [(told.word, told.spent) for told in store.told]
        store.told = []

    assert said == [(NEAR, 900), (REACHED, 1200)]
    one.close()
    other.close()


def test_only_the_first_of_a_lab_is_alone(lab):
    """Whoever comes while another lives leaves the sums to it."""
    budget = meter()
    one = opened(lab, budget)
    other = opened(lab, budget)
    assert (one.alone, one.new, other.alone, other.new) == (True, [budget], False, [])
    killed(one)
    other.close()

    third = opened(lab, budget)
    assert (third.alone, third.new) == (True, [])
    third.close()


def test_what_is_owed_is_written_when_the_lock_is_free(lab, monkeypatch):
    """A reservation that nobody could check among it."""
    budget = meter()
    store = opened(lab, budget)
    found = budget.sum_of(Whose("acme"), NOON_S)
    monkeypatch.setattr(store._lock, "take", lambda: False)
    assert store.reserve([found], 2 * LIMIT) is None
    store.settle([Change(found, 700, -2 * LIMIT, 0, 1)])
    assert (store.unlocked, store.spent(budget)) == (1, {})
    monkeypatch.undo()

    assert store.reserve([found], 400) is not None
    assert store.spent(budget) == {found.key: 700}
    store.close()


@pytest.mark.slow
def test_processes_that_hammer_do_not_pass_it(lab):
    """Four of them, on however many cores: what they spent is the sum, to the last."""
    command = [sys.executable, hammer.__file__, str(lab.root), "4000"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    told = [process.communicate(timeout=120)[0].split() for process in processes]

    spent, refused, uncounted = (
        sum(map(int, each)) for each in zip(*told, strict=True)
    )
    [state] = budget_states(lab, [hammer.meter()])
    assert uncounted == 0
    assert round(state.spent_usd * PUSD_PER_USD) == spent <= hammer.meter().limit
    assert refused == state.refused > 0
    assert (state.held_usd, state.lost_usd) == (0, 0)

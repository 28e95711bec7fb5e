"""Several workers' reports in one."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.health_of_all import added, of_all, told_by_all
from lectr_lab.proxy.shared.messages import AllHealth, OneHealth

WHOLE = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 99))


def one(pid: int, *, retiring: bool = False, **health) -> OneHealth:
    return OneHealth(pid, "2026-01-01T00:00:00+00:00", retiring, health or None)


@given(WHOLE, WHOLE, WHOLE)
def test_numbers_add_up_in_any_order(a, b, c):
    """And none is lost."""
    assert added(added(a, b), c) == added(a, added(b, c))
    assert added(a, b) == added(b, a)
    for name in {*a, *b}:
        assert added(a, b)[name] == a.get(name, 0) + b.get(name, 0)


def test_what_is_no_number_is_said_once():
    """A warning of both, a state that is worse with one, what they have in common."""
    reports = [
        one(
            1,
            warnings=["a", "b"],
            writer="ok",
            unread={"files": 1},
            budgets=[{"state": "ok"}],
            shadows=None,
            faults={"shadows": {"raised": 1, "off": False}},
            rules={"in_force": 2, "failures": 1, "problem": None},
        ),
        one(
            2,
            warnings=["b"],
            writer="failing",
            unread={"files": 1},
            budgets=[{"state": "ok"}],
            shadows=None,
            faults={"shadows": {"raised": 2, "off": True}},
            rules={"in_force": 2, "failures": 0, "problem": "rules.toml: no"},
        ),
    ]
    said = of_all(reports)

    assert said["warnings"] == ["a", "b"]
    assert said["writer"] == "failing"
    assert said["unread"] == {"files": 1}
    assert said["budgets"] == [{"state": "ok"}]
    assert said["shadows"] is None
    assert said["faults"] == {"shadows": {"raised": 3, "off": True}}
    assert said["rules"] == {"in_force": 2, "failures": 1, "problem": "rules.toml: no"}


def test_each_is_named_and_who_is_silent_too():
    """By its process; one that retires is still there."""
    said = of_all([one(1, in_flight=2), one(2, retiring=True, in_flight=1), one(3)], 5)

    assert said["in_flight"] == 3
    assert said["restarts"] == 5
    states = [(w["pid"], w["status"]) for w in said["workers"]]
    assert states == [(1, "ok"), (2, "retiring"), (3, "silent")]
    assert said["warnings"] == ["1 of 3 workers did not say how they are."]


def test_what_their_parent_remembers_is_told_as_theirs():
    """They remember nothing themselves."""
    prefixes = {"remembered_bytes": 0, "unwatched": 2}

    class Port:
        async def health(self) -> AllHealth | None:
            return AllHealth(
                1, [one(1, prefixes=prefixes), one(2, prefixes=prefixes)], 0, 9
            )

    [said] = asyncio.run(told_by_all(list, Port()))  # type: ignore[arg-type]

    assert said["prefixes"] == {"remembered_bytes": 9, "unwatched": 4}


def test_alone_or_where_nobody_can_be_asked_it_speaks_for_itself():
    """The parent is gone, or there is none."""

    class Port:
        async def health(self) -> AllHealth | None:
            return None

    own = [{"in_flight": 1}]
    alone = asyncio.run(told_by_all(lambda: own, None))
    unheard = [*asyncio.run(told_by_all(lambda: own, Port()))]  # type: ignore[arg-type]

    assert alone == own
    assert unheard[0] == own[0]
    assert unheard[1]["warnings"] == ["The other workers could not be asked."]

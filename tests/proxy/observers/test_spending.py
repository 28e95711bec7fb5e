"""Budgets that change while requests run."""

from types import SimpleNamespace

from lectr_lab.proxy.observers.spending import Spending


class Counting:
    """Budgets as the observer sees them."""

    def __init__(self, *held: bytes) -> None:
        self.held, self.counted, self.stopped = set(held), [], False

    @property
    def holding(self) -> bool:
        return bool(self.held)

    def holds(self, event_id: bytes) -> bool:
        return event_id in self.held

    def ended(self, event) -> None:
        self.held.discard(event.event_id)
        self.counted.append(event.event_id)

    def about(self):
        return {"budgets": []}

    def stop(self) -> None:
        self.stopped = True


def test_what_was_set_aside_is_given_back_where_it_was():
    """What came afterwards counts in the budgets that are in force."""
    old, new = Counting(b"early"), Counting()
    spending = Spending(old)
    spending.follow(new)
    for event_id in (b"late", b"early"):
        spending.ended(SimpleNamespace(event_id=event_id))

    assert (old.counted, new.counted) == ([b"early"], [b"late"])


def test_old_budgets_end_once_nothing_is_set_aside():
    """Until then they are kept; the same ones are kept for good."""
    old, new = Counting(b"early"), Counting()
    spending = Spending(old)
    spending.follow(old)
    spending.follow(new)
    before = spending.tidy(), old.stopped
    spending.ended(SimpleNamespace(event_id=b"early"))
    after = spending.tidy(), old.stopped

    assert (before, after, new.stopped) == ((False, False), (True, True), False)


def test_without_a_budget_it_is_not_active():
    """Until one is in force, and again when none is."""
    spending = Spending()
    first = spending.active
    spending.follow(Counting())
    second = spending.active
    spending.follow(None)
    spending.tidy()

    assert (first, second, spending.active) == (False, True, False)
    assert spending.about() == {}

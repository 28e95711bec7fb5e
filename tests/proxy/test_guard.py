"""Calls of parts that may fail: counted, never felt."""

import pytest

from lectr_lab.proxy.guard import Guard

SECRET = "sk-" + "a" * 24


class Clock:
    """Time that a part takes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def takes(self, seconds: float) -> None:
        self.now_s += seconds


def test_what_a_part_returns_is_returned():
    """And nothing is said of a part that works."""
    guard = Guard("one")

    assert guard.call(lambda a, b: a + b, 1, 2) == 3
    assert guard.about() == {}


def test_what_a_part_raises_is_counted_without_its_words():
    """They could hold a client's."""
    guard = Guard("one")

    def part() -> None:
        raise ValueError(SECRET)

    assert guard.call(part) is None
    about = guard.about()
    assert about["faults"] == {"one": {"raised": 1, "slow": 0, "off": False}}
    assert SECRET not in str(about)


@pytest.mark.parametrize("needed", [False, True])
def test_who_is_slow_five_times_within_a_minute_is_called_no_more(needed):
    """Unless it cannot be done without; quick calls between them change nothing."""
    clock = Clock()
    guard = Guard("one", lambda: clock.now_s, needed=needed)
    for _ in range(20):
        guard.call(clock.takes, 0.06)
        clock.takes(20.0)
    assert not guard.off

    for seconds in [0.06, 0.0] * 5:
        guard.call(clock.takes, seconds)

    assert guard.off is not needed
    before_s = clock.now_s
    guard.call(clock.takes, 1.0)
    assert clock.now_s == before_s + needed
    assert ("called no more" in guard.about()["warnings"][0]) is not needed

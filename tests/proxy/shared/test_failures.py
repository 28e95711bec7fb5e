"""Failures that all workers know."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.proxy.shared.failures import Failures, open_memory

READ = """
import sys
from lectr_lab.proxy.shared.failures import Failures
failures = Failures(int(sys.argv[1]))
print(failures.get(failures.name("k", "chat", 2, 7)))
"""
WORDS = st.text("ab ", max_size=3)
BODIES = st.tuples(st.integers(1, 2**18), st.integers(0, 2**32 - 1))


def named(number: int, failures: Failures) -> int:
    """What a body of a key's is called."""
    return failures.name("k", "chat", 2, number)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=60
    )
)
def test_it_is_a_table(steps):
    """As a dict is, for any two that look at it; what is forgotten is gone."""
    fd = open_memory()
    one, other = Failures(os.dup(fd)), Failures(fd)
    known: dict[int, float] = {}
    for number, (asked, failed_s, forgets) in enumerate(steps):
        which = one if number % 2 else other
        if forgets:
            which.forget(named(asked, which))
            known.pop(asked, None)
        else:
            which.add(named(asked, which), failed_s + 1.0)
            known[asked] = failed_s + 1.0
        for key in range(31):
            name = named(key, one)
            assert one.get(name) == other.get(name) == known.get(key)


def test_many_push_each_other_out_oldest_first():
    """It holds some thousands in memory that does not grow."""
    failures = Failures(open_memory())
    for number in range(30_000):
        failures.add(named(number, failures), float(number))
    kept = [n for n in range(30_000) if failures.get(named(n, failures)) == n]

    assert 4_000 < len(kept) <= 8_192
    assert kept[-1] == 29_999


def test_another_process_reads_what_this_one_wrote():
    """Python's own hashes differ there."""
    fd = open_memory()
    failures = Failures(os.dup(fd))
    failures.add(failures.name("k", "chat", 2, 7), 1.5)
    told = subprocess.run(
        [sys.executable, "-c", READ, str(fd)],
        pass_fds=[fd],
        capture_output=True,
        text=True,
        check=True,
    )

    assert float(told.stdout) == 1.5


@given(st.tuples(WORDS, WORDS, BODIES), st.tuples(WORDS, WORDS, BODIES))
def test_what_differs_has_another_name(one, other):
    """Bodies of one key by their length and sum, keys and kinds of call by chance alone."""
    failures = Failures(open_memory())
    names = [
        failures.name(key_id, operation.replace(" ", "_"), *body)
        for key_id, operation, body in (one, other)
    ]

    assert (names[0] == names[1]) == (
        (one[0], one[1].replace(" ", "_"), one[2])
        == (other[0], other[1].replace(" ", "_"), other[2])
    )
    assert all(0 < name < 2**64 for name in names)

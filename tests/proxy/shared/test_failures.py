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
print(Failures(int(sys.argv[1])).get(("k", "chat", 2, 7)))
"""


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=60
    )
)
def test_it_is_a_table(steps):
    """As a dict is, for any two that look at it; what is forgotten is gone."""
    fd = open_memory()
    one, other = Failures(os.dup(fd)), Failures(fd)
    known: dict[tuple, float] = {}
    for number, (asked, failed_s, forgets) in enumerate(steps):
        which = one if number % 2 else other
        if forgets:
            which.forget((asked,))
            known.pop((asked,), None)
        else:
            which.add((asked,), failed_s + 1.0)
            known[asked,] = failed_s + 1.0
        for key in range(31):
            assert one.get((key,)) == other.get((key,)) == known.get((key,))


def test_many_push_each_other_out_oldest_first():
    """It holds some thousands in memory that does not grow."""
    failures = Failures(open_memory())
    for number in range(30_000):
        failures.add((number,), float(number))
    kept = [number for number in range(30_000) if failures.get((number,)) == number]

    assert 4_000 < len(kept) <= 8_192
    assert kept[-1] == 29_999


def test_another_process_reads_what_this_one_wrote():
    """Python's own hashes differ there."""
    fd = open_memory()
    Failures(os.dup(fd)).add(("k", "chat", 2, 7), 1.5)
    told = subprocess.run(
        [sys.executable, "-c", READ, str(fd)],
        pass_fds=[fd],
        capture_output=True,
        text=True,
        check=True,
    )

    assert float(told.stdout) == 1.5

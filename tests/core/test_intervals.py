"""Intervals of shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.intervals import Z95, wilson

deviates = st.sampled_from([1.645, Z95, 2.576])


@given(data=st.data(), n=st.integers(1, 10_000), z=deviates)
def test_the_interval_is_wilsons(data, n, z):
    """Its ends are the shares that lie z standard errors from what was seen."""
    hits = data.draw(st.integers(0, n) | st.floats(0, n))

    low, high = wilson(hits, n, z)

    assert 0 <= low <= hits / n + 1e-12 and hits / n - 1e-12 <= high <= 1
    for share in (low, high):
        squared_errors = z**2 * share * (1 - share) / n
        assert (share - hits / n) ** 2 == pytest.approx(squared_errors, abs=1e-12)


@given(data=st.data(), n=st.integers(1, 1_000), z=deviates)
def test_more_of_the_same_narrows_it(data, n, z):
    """Ten times as many requests with the same share say more."""
    hits = data.draw(st.integers(0, n))

    few, many = wilson(hits, n, z), wilson(hits * 10, n * 10, z)

    assert few[0] <= many[0] + 1e-9 and many[1] <= few[1] + 1e-9


def test_of_none_it_can_be_any():
    """Nothing seen, nothing known."""
    assert wilson(0, 0) == (0.0, 1.0)

"""Where an episode began and ended."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.odd.outline import Course, edges, size

CELLS = 200


@given(first=st.integers(60, 90), length=st.integers(6, 40), times=st.floats(2, 9))
def test_the_edges_of_a_step_are_its_own(first, length, times):
    """Found late and lingering in its window, it still began and ended when it did."""
    expected = np.full(CELLS, 50.0)
    shown = expected.copy()
    shown[first : first + length] *= times
    fired = (first + 5 - 72 if first > 67 else 0, first + 5)

    began, ended = edges(
        Course(shown, expected, expected), fired, first + length + 60, higher=True
    )

    assert (began, ended) == (first, first + length - 1)


def test_silence_has_edges_too():
    """Where less was shown than expected."""
    expected = np.full(CELLS, 50.0)
    shown = expected.copy()
    shown[80:100] = 0

    found = edges(Course(shown, expected, expected), (60, 84), 130, higher=False)

    assert found == (80, 99)


def test_sizes_are_in_the_units_of_the_kind():
    """Requests add up, logarithms are means that are undone, shares are of requests."""
    ten = np.full(CELLS, 10.0)
    course = Course(np.log(400.0) * ten, np.log(200.0) * ten, ten)

    assert size(Course(3 * ten, ten, ten), "traffic_high", 5, 6) == (60, 20, 3)
    assert size(course, "latency", 5, 6) == pytest.approx((400, 200, 2))
    assert size(Course(0.5 * ten, 0 * ten, ten), "errors", 5, 6)[0] == 0.5
    assert size(Course(0.5 * ten, 0 * ten, ten), "errors", 5, 6)[2] == np.inf

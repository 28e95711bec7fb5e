"""From z to expected false alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.odd.calibrate import false_alarms, stretch, z_at
from lectr_lab.analysis.odd.history import WINDOWS

HOURS = 24 * 21


@given(window=st.sampled_from(WINDOWS), rate=st.floats(0.01, 10), by=st.floats(1, 4))
def test_a_rate_and_its_z_are_one_rule_said_twice(window, rate, by):
    """Whatever the z of a series are stretched by."""
    z = np.array(z_at(rate, window) * by)

    assert false_alarms(z, np.array(by), window) == pytest.approx(rate)


@pytest.mark.parametrize("kind", ["traffic_high", "latency"])
def test_what_chance_makes_is_hardly_stretched(kind):
    """Normal z of one look an hour stay about as they are."""
    z = np.random.default_rng(1).normal(size=(20, HOURS, 12))

    found = stretch(z, np.ones((20, HOURS)), kind, 1)

    assert (found >= 1).all()
    assert np.median(found[:, -1]) < 1.25


def test_longer_tails_than_normal_are_stretched_to_it():
    """A series whose z are twice as large is held to twice as much."""
    z = 2 * np.random.default_rng(1).normal(size=(20, HOURS, 12))

    found = stretch(z, np.ones((20, HOURS)), "latency", 1)

    assert 1.7 < np.median(found[:, -1]) < 2.4


def test_hours_of_an_incident_teach_nothing():
    """One wild day that is no history leaves the stretch as it was."""
    z = np.random.default_rng(1).normal(size=(5, HOURS, 12))
    seen = np.ones((5, HOURS))
    wild, seen[:, 300:324] = z.copy(), 0
    wild[:, 300:324] = 50

    assert np.array_equal(
        stretch(z, seen, "latency", 1), stretch(wild, seen, "latency", 1)
    )


def test_one_thing_in_windows_that_overlap_is_one():
    """Windows of six hours that chance makes are hardly stretched, though each is in the
    next hours' too."""
    cells = np.random.default_rng(1).normal(size=(20, HOURS * 12 + 71))
    upto = np.cumsum(np.pad(cells, ((0, 0), (1, 0))), axis=1)
    z = ((upto[:, 72:] - upto[:, :-72]) / np.sqrt(72))[:, 5::6].reshape(20, HOURS, 2)

    found = stretch(z, np.ones((20, HOURS)), "latency", 72)

    assert np.median(found[:, -1]) < 1.6

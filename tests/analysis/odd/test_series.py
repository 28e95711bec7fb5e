"""One series over time, beside what was expected."""

from datetime import timedelta

import pytest
from odd_traffic import DAY, Fault, moment

import lectr_lab as lectr
from lectr_lab.analysis.odd.scores import KINDS
from lectr_lab.core.errors import LabError

FAULT = Fault("traffic", 4.0, 8 * DAY + 96, 8 * DAY + 168)


@pytest.fixture(scope="module")
def found(made_up):
    """Nine days of two features, of which the first has a burst."""
    return lectr.odd(made_up(fault=FAULT))


def test_a_burst_stands_above_its_band(found):
    """And what is usual within it."""
    hours = found.series("feature-0", "traffic_high")
    at = moment(FAULT.first)

    burst = hours.filter(hours["time"].is_between(at, at + timedelta(hours=5)))
    usual = hours.filter(hours["time"].is_between(at - timedelta(days=4), at, "left"))

    assert (burst["actual"] > burst["high"]).all()
    assert (usual["actual"] <= usual["high"]).mean() > 0.97
    assert (usual["low"] <= usual["expected"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_drawn(found, kind):
    """In its own units."""
    hours = found.series("feature-1", kind).drop_nulls()

    assert hours.columns == ["time", "actual", "expected", "low", "high"]
    assert hours.height > 100
    assert hours["actual"].is_finite().all()


def test_what_is_not_there_is_said(found):
    """With what there is."""
    with pytest.raises(LabError, match="feature-0, feature-1"):
        found.series("feature-9")
    with pytest.raises(LabError, match="traffic_high, traffic_low"):
        found.series("feature-0", "weather")

"""The mean of days to come: what holds for any days, and how often it is right."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.forecast.drift import LEAST_DAYS, MOST_DAYS, drift

MEASURE = runpy.run_path(
    str(Path(__file__).parents[2] / "benchmarks/interval_coverage.py")
)
usd = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
days = st.lists(usd, min_size=LEAST_DAYS, max_size=40).filter(any)


@pytest.mark.slow
@pytest.mark.parametrize("selection", MEASURE["SELECTIONS"])
def test_next_week_lies_in_its_interval(selection, shared):
    """Of real clients 85 to 95 % of the intervals of 90 % hold it, however much of the
    week seen had traffic."""
    rates = shared / "datasets/traces/servegen_rates.parquet"
    found = MEASURE["foretold"](
        MEASURE["clients"](rates), MEASURE["SELECTIONS"][selection]
    )

    assert found.clients > 60
    assert 0.85 <= found.share()[0] <= 0.95
    assert found.by_saving < found.held


@settings(max_examples=50, deadline=None)
@given(daily=days, ahead=st.integers(1, 31))
def test_low_middle_and_high_stand_in_order(daily, ahead):
    """None below nothing; a wider one for more confidence."""
    found = drift(daily, 31)
    mean, low, high = found.ahead(ahead)
    _, lower, higher = found.ahead(ahead, 0.99)

    assert 0 <= lower <= low <= mean <= high <= higher


@settings(max_examples=50, deadline=None)
@given(daily=days, ahead=st.integers(1, 31))
def test_the_interval_and_the_chance_say_the_same(daily, ahead):
    """One in twenty lies above the upper end of the interval of 90 %."""
    found = drift(daily, 31)
    high = found.ahead(ahead).high

    if high < 1e100:
        assert found.chance_above(high, ahead) == pytest.approx(0.05, abs=1e-3)
    assert found.chance_above(0, ahead) == 1


@settings(max_examples=30, deadline=None)
@given(daily=days, times=st.sampled_from([2.0**-10, 0.5, 1024.0]))
def test_dollars_and_cents_foretell_the_same(daily, times):
    """Every value times so many is every figure times so many."""
    one = drift(daily, 7).ahead(7)
    other = drift([value * times for value in daily], 7).ahead(7)

    assert other == pytest.approx([value * times for value in one], rel=1e-6)


def test_the_further_the_less_sure():
    """Of a walk: thirty days on average are less sure than seven."""
    rng = np.random.default_rng(1)
    found = drift(np.exp(np.cumsum(rng.normal(0, 0.2, 28))), 30)

    spans = [found.ahead(n).high / found.ahead(n).low for n in (7, 30)]
    assert spans[0] < spans[1]


def test_weekdays_are_not_drift():
    """Quiet weekends of four weeks leave the next week sure, and its weekend quiet."""
    week = [10.0, 11, 9, 10, 12, 2, 1]
    found = drift(week * 4, 7)

    assert found.ahead(7).high < 1.3 * found.ahead(7).low
    assert found.ahead(5).mean > 1.2 * found.ahead(7).mean
    assert found.ahead(7).mean == pytest.approx(sum(week) / 7, rel=0.05)


def test_days_that_never_vary_are_no_proof():
    """A steady week says much of the next one, and not all."""
    _, low, high = drift([3.0] * 7, 7).ahead(7)

    assert 0.6 * 3 < low < 3 < high < 1.7 * 3


def test_little_and_nothing_foretell_nothing():
    """Six days; a week without spend."""
    assert drift([1.0] * 6, 7) is None
    assert drift([0.0] * 9, 7) is None


def test_old_days_do_not_count():
    """Beyond twelve weeks."""
    recent = [1.0, 2.0] * (MOST_DAYS // 2)

    assert drift([500.0] * 30 + recent, 7).ahead(7) == drift(recent, 7).ahead(7)


@pytest.mark.parametrize("odd", [-1.0, float("nan"), float("inf")])
def test_what_is_no_spend_is_refused(odd):
    """A figure that cannot be is not averaged away."""
    with pytest.raises(ValueError, match="below 0, or not"):
        drift([1.0] * 7 + [odd], 7)

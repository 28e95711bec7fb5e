"""How sure a mean is."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

from lectr_lab.analysis.views.mean_interval import LEAST, mean_interval


def ends(values: list[float | None]) -> tuple[float | None, float | None]:
    frame = pl.DataFrame({"v": values}, {"v": pl.Float64})
    low, high = mean_interval(pl.col("v"))
    return frame.select(low.alias("low"), high.alias("high")).row(0)


def test_it_is_hall_s_interval():
    """As the paper has it, with scipy's quantiles."""
    values = np.random.default_rng(1).lognormal(0, 1, 12)
    n, mean, sd = 12, values.mean(), values.std(ddof=1)
    skew = ((values - mean) ** 3).sum() * n / ((n - 1) * (n - 2)) / sd**3
    z = t.ppf(0.975, n - 1) / np.sqrt(n)

    found = ends(values.tolist())

    turned = [
        3 / skew * (np.cbrt(1 + skew * (end - skew / (6 * n))) - 1) for end in (z, -z)
    ]
    assert found == pytest.approx([mean - sd * one for one in turned], rel=1e-3)


@pytest.mark.parametrize("sigma, least", [(0.5, 0.92), (1.0, 0.90)])
def test_it_covers_what_it_says_where_values_are_skewed(sigma, least):
    """The mean of what 500 samples of 20 are drawn from."""
    drawn = np.random.default_rng(7).lognormal(0, sigma, (500, 20))
    samples = pl.DataFrame({"s": np.repeat(np.arange(500), 20), "v": drawn.ravel()})
    low, high = mean_interval(pl.col("v"))

    found = samples.group_by("s").agg(low.alias("low"), high.alias("high"))

    truth = np.exp(sigma**2 / 2)
    covers = (found["low"] <= truth) & (found["high"] >= truth)
    assert covers.mean() >= least


def test_few_values_say_nothing_of_a_mean():
    """Nulls are not among them."""
    assert ends([1.0, 2.0, 3.0, 4.0, None]) == (None, None)
    assert LEAST == 5 and None not in ends([1.0, 2.0, 3.0, 4.0, 5.0])


@pytest.mark.parametrize("value", [0.0, 0.1, 2.5])
def test_what_is_always_the_same_is_sure(value):
    """A narrow interval, and no division by nothing."""
    assert ends([value] * 8) == pytest.approx((value, value), abs=1e-9)


def test_what_is_even_has_students_interval():
    """Without a skew there is nothing to turn."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    half = t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)

    assert ends(values) == pytest.approx((3 - half, 3 + half), rel=2e-3)


def test_no_mean_of_costs_is_below_zero():
    """The lower end stops there."""
    assert ends([0.0, 0.0, 0.0, 0.0, 0.0, 9.0])[0] == 0.0

"""How far a look is from what was expected."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_traffic import DAY, START, Fault, as_log, feature, requests
from scipy.stats import betabinom, nbinom

from lectr_lab.analysis.odd import scores
from lectr_lab.analysis.odd.grid import grids, span_of
from lectr_lab.analysis.odd.history import WINDOWS, History, since_first
from lectr_lab.analysis.odd.scores import KINDS, Score, matters
from lectr_lab.analysis.odd.source import counted

DAYS = 8


def history_of(rows):
    now = START + timedelta(days=DAYS)
    cells = counted(as_log(rows), "feature", None, now)
    [grid] = grids(cells, ("org", "feature"), span_of(START, now, ZoneInfo("UTC")))
    return History(grid, since_first(grid))


@given(n=st.integers(0, 60), mean=st.floats(0.1, 60), phi=st.floats(0.001, 2))
def test_counts_have_the_tails_of_a_negative_binomial(n, mean, phi):
    """More than so many, half of the like included; fewer likewise, silence whole."""
    k = 1 / phi
    law = nbinom(k, k / (k + mean))
    x, mu, size = (np.array([float(v)]) for v in (n, mean, k))

    fewer = law.cdf(n) if n == 0 else law.cdf(n - 1) + law.pmf(n) / 2
    assert scores._fewer(x, mu, size)[0] == pytest.approx(fewer, abs=1e-9)
    if n:
        more = law.sf(n) + law.pmf(n) / 2
        assert scores._more(x, mu, size)[0] == pytest.approx(more, abs=1e-9)


@given(
    n=st.integers(1, 300),
    part=st.floats(0, 1),
    a=st.floats(0.01, 50),
    b=st.floats(1, 500),
)
def test_shares_have_the_tail_of_a_beta_binomial(n, part, a, b):
    """Added up term by term, as scipy has it."""
    x = round(n * part)
    law = betabinom(n, a, b)

    found = scores._beta_binomial(*(np.array([float(v)]) for v in (x, n, a, b)))

    assert found[0] == pytest.approx(law.sf(x) + law.pmf(x) / 2, rel=1e-3, abs=1e-9)


FAULTS = {
    "traffic_high": ("traffic", 3.0),
    "traffic_low": ("traffic", 0.0),
    "spend": ("price", 3.0),
    "unit_cost": ("price", 2.0),
    "errors": ("errors", 0.5),
    "latency": ("latency", 2.0),
    "latency_tail": ("tail", 20.5),
    "prompt": ("prompt", 2.0),
    "answer": ("answer", 0.5),
    "cache": ("cache", 0.0),
    "models": ("new model", 0.5),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_sees_its_own_fault(kind):
    """An hour into it, its z is far above what the days before had."""
    fault = Fault(*FAULTS[kind], (DAYS - 1) * DAY + 120, (DAYS - 1) * DAY + 192)
    what = feature(3, 200.0)._replace(cached=0.7)
    history = history_of(requests(what, DAYS * DAY, fault))

    z = KINDS[kind](history, 12).z[0]

    hour = fault.first // 12
    assert z[hour + 1 : hour + 6].max() > max(4, 1.3 * z[48:hour].max())


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_z_is_a_number(kind, window):
    """Where nothing was asked, or nothing is known, too."""
    rows = requests(feature(2, 2.0), DAYS * DAY)

    score = KINDS[kind](history_of(rows), window)

    assert np.isfinite(score.z).all()


def test_one_request_of_a_new_model_does_not_matter():
    """However seldom that is."""
    one = np.array([1.0])
    score = Score(9 * one, one / 40, 0 * one, one, 40 * one)

    assert not matters("models", score).any()
    assert matters("models", score._replace(actual=4 * one / 40)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_trifle_does_not_matter(kind):
    """Four in a hundred more or less, of many requests, is nothing to hear of."""
    one = np.ones(1)
    sign = -1 if kind in ("traffic_low", "cache") else 1
    if kind in scores.LOGARITHMIC:
        score = Score(9 * one, 5 + 0.04 * one, 5 * one, one, 1e5 * one)
    elif kind in ("errors", "models", "cache"):
        score = Score(9 * one, 0.1 + sign * 0.004 * one, 0.1 * one, one, 1e5 * one)
    else:
        score = Score(9 * one, 1e5 * (1 + sign * 0.04) * one, 1e5 * one, one, 1e5 * one)

    assert not matters(kind, score).any()


def test_a_series_of_one_model_has_no_mix():
    """Its share is all there is."""
    rows = requests(feature(2, 20.0)._replace(mix=(1.0,)), DAYS * DAY)

    assert not scores.models(history_of(rows), 12).z.any()


def test_a_model_beyond_the_usual_six_is_seen_all_the_same():
    """Of many models, the seldom ones count as one."""
    rows = requests(feature(2, 60.0)._replace(mix=(1.0,)), DAYS * DAY)
    of_many = pl.format("model-{}", pl.int_range(pl.len()) % 9)

    history = history_of(rows.with_columns(model_actual=of_many))

    assert history.grid.models["model"].null_count() == 1
    assert history.grid.models.height == 7

"""Why a spend changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.odd.split import FACTORS, Traffic, parts

MODELS = 3
TERMS = Traffic._fields[2:]
_positive = st.floats(0.01, 100)


@st.composite
def traffics(draw):
    """Traffic of three models, of which some may not be asked."""
    asked = draw(st.lists(st.booleans(), min_size=MODELS, max_size=MODELS).filter(any))
    weight = np.array([draw(_positive) if a else 0 for a in asked])
    cached, written = (
        np.array([draw(st.floats(0, 0.5)) for _ in asked]) for _ in range(2)
    )
    named = {t: np.array([draw(_positive) for _ in asked]) for t in TERMS}
    named |= {"cached": cached, "written": written}
    unknown = {t: np.where(asked, v, np.nan) for t, v in named.items()}
    requests = draw(st.floats(0, 1e6))
    return Traffic(requests=requests, share=weight / weight.sum(), **unknown)


@given(before=traffics(), now=traffics())
def test_parts_add_up_to_the_change(before, now):
    """Also where models are new or gone."""
    change = now.usd() - before.usd()

    found = parts(before, now)

    largest = max(abs(now.usd()), abs(before.usd()), 1e-9)
    assert abs(sum(found.values()) - change) <= 1e-9 * largest
    assert set(found) == set(FACTORS)


CHANGES = {
    "requests": {"requests": 3.0},
    "models": {"share": np.array([0.2, 0.7, 0.1])},
    "cache": {"cached": np.array([0.1, 0.0, 0.2])},
    "prompt": {"input_tokens": np.array([5.0, 900.0, 1.0])},
    "answer": {"output_tokens": np.array([50.0, 9.0, 3.0])},
    "price": {"output_usd": np.array([0.5, 0.9, 0.3])},
}


@pytest.mark.parametrize("factor", FACTORS)
@given(before=traffics())
def test_a_change_of_one_factor_is_all_its_own(before, factor):
    """The others have nothing of it."""
    full = before._replace(
        requests=before.requests + 1,
        **{t: np.nan_to_num(getattr(before, t), nan=0.25) for t in TERMS},
    )
    now = full._replace(**CHANGES[factor])

    found = parts(full, now)

    scale = max(abs(full.usd()), abs(now.usd()))
    for other in set(FACTORS) - {factor}:
        assert abs(found[other]) <= 1e-12 * scale
    assert abs(found[factor] - (now.usd() - full.usd())) <= 1e-9 * scale


def test_a_model_that_appears_is_all_models():
    """Nothing is known of it before, so nothing else of it has changed."""
    one = np.array([1.0, np.nan])
    was = Traffic(10, np.array([1.0, 0.0]), *([one] * 2), one * 0, *([one] * 6))
    now = was._replace(share=np.array([0.5, 0.5]), input_tokens=np.array([1.0, 9.0]))
    now = now._replace(**{t: np.nan_to_num(getattr(now, t), nan=1.0) for t in TERMS})

    found = parts(was, now)

    assert found["models"] == pytest.approx(now.usd() - was.usd())

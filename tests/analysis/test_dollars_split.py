"""A change in dollars, split among what made it."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.dollars_split import KINDS, PARTS, Use, product_parts, split

counts = st.integers(0, 10**6)
usd_per_token = st.floats(1e-8, 1e-3)


@st.composite
def uses(draw, models: int) -> Use:
    """A span in which any of the models may have done nothing."""
    n = [draw(st.integers(0, 10**4)) for _ in range(models)]
    tokens = {k: [draw(counts) if some else 0 for some in n] for k in KINDS}
    usd = {k: [t * draw(usd_per_token) for t in tokens[k]] for k in KINDS}
    other = [draw(st.floats(0, 100)) if some else 0.0 for some in n]
    return Use(n, tokens, usd, other)


def cost(use: Use) -> np.ndarray:
    return sum(np.asarray(use.usd.get(k, 0)) for k in KINDS) + np.asarray(use.other_usd)


@given(data=st.data(), models=st.integers(1, 5))
def test_the_parts_sum_to_the_change(data, models):
    """Of every model, whatever came, went or stayed, in one group or several."""
    before, after = data.draw(uses(models)), data.draw(uses(models))
    group = data.draw(st.lists(st.integers(0, 2), min_size=models, max_size=models))

    parts = split(before, after, group)

    total = sum(parts[name] for name in PARTS)
    scale = 1 + np.abs(cost(before)) + np.abs(cost(after))
    assert total / scale == pytest.approx(
        (cost(after) - cost(before)) / scale, abs=1e-9
    )


@given(data=st.data())
def test_the_same_twice_has_no_parts(data):
    """Where nothing changed, nothing is said to have."""
    use = data.draw(uses(3))

    assert not any(usd.any() for usd in split(use, use).values())


def one(requests=100.0, prompt=1_000.0, read=0.5, answer=200.0, times=1.0, other=0.01):
    """One model, told by the factors."""
    tokens = {
        "input": requests * prompt * (1 - read),
        "cache_read": requests * prompt * read,
        "output": requests * answer,
    }
    per = {"input": 3e-6, "cache_read": 3e-7, "output": 1.5e-5}
    usd = {k: [n * per[k] * times] for k, n in tokens.items()}
    return Use([requests], {k: [n] for k, n in tokens.items()}, usd, [requests * other])


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"requests": 250.0}, "requests"),
        ({"prompt": 1_700.0}, "prompt"),
        ({"read": 0.1}, "cache"),
        ({"answer": 900.0}, "answer"),
        ({"times": 0.5}, "price"),
        ({"other": 0.05}, "other"),
    ],
)
def test_what_changed_alone_has_all_of_it(change, part):
    """A change of one factor is that factor's, to the last digit."""
    before, after = one(), one(**change)

    parts = {name: float(usd.sum()) for name, usd in split(before, after).items()}

    rest = [usd for name, usd in parts.items() if name != part]
    assert parts[part] == pytest.approx(float((cost(after) - cost(before)).sum()))
    assert rest == pytest.approx([0.0] * len(rest), abs=1e-12)


def test_a_move_to_another_model_is_the_models():
    """As many requests of the same length, half of them to a model of half the price."""
    rate = np.array([2e-6, 1e-6])
    before, after = np.array([100.0, 0.0]), np.array([50.0, 50.0])

    parts = split(
        *(
            Use(n, {"input": n * 1e3}, {"input": n * 1e3 * rate})
            for n in (before, after)
        )
    )

    assert parts["models"].sum() == pytest.approx(-0.05)
    assert all(not parts[name].any() for name in PARTS if name != "models")


def test_a_group_that_came_is_all_requests():
    """Of a feature that is new, there is nothing to compare a request with."""
    none = Use([0.0], {}, {})

    parts = split(none, one())

    assert parts["requests"].sum() == pytest.approx(float(cost(one()).sum()))
    assert all(abs(parts[name]).sum() < 1e-12 for name in PARTS if name != "requests")


def test_groups_are_split_apart():
    """Several at once are what each is alone."""
    first, second = (one(), one(requests=180.0)), (one(answer=90.0), one(read=0.9))

    def both(a: Use, b: Use) -> Use:
        tokens = {k: [*a.tokens.get(k, [0]), *b.tokens.get(k, [0])] for k in KINDS}
        usd = {k: [*a.usd.get(k, [0]), *b.usd.get(k, [0])] for k in KINDS}
        return Use(
            [*a.requests, *b.requests], tokens, usd, [*a.other_usd, *b.other_usd]
        )

    together = split(both(first[0], second[0]), both(first[1], second[1]), [0, 1])
    apart = [split(*first), split(*second)]

    for name in PARTS:
        alone = [float(each[name][0]) for each in apart]
        assert together[name].tolist() == pytest.approx(alone)


@given(data=st.data(), k=st.integers(1, 4))
def test_a_factor_gets_the_mean_of_all_orders(data, k):
    """Shapley's own definition, order by order."""
    numbers = st.lists(st.floats(0, 100), min_size=k, max_size=k)
    before, after = data.draw(numbers), data.draw(numbers)

    by_order = np.zeros(k)
    orders = list(permutations(range(k)))
    for order in orders:
        now = list(before)
        for i in order:
            was = np.prod(now)
            now[i] = after[i]
            by_order[i] += (np.prod(now) - was) / len(orders)

    assert product_parts(before, after) == pytest.approx(by_order.tolist(), abs=1e-6)


def test_nothing_is_split_into_nothing():
    """No model, no part."""
    none = Use([], {}, {}, [])

    assert {name: usd.tolist() for name, usd in split(none, none).items()} == {
        name: [] for name in PARTS
    }

"""Verdicts, in worlds whose truth is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.evaluation.verdict import adopts, refuses, verdict_of, weigh

VALUES = np.array([-1.0, 0.0, 1.0])
SCORES = st.lists(st.tuples(*[st.floats(0, 1) | st.sampled_from([0.0, 1.0])] * 2))
# (share worse, share better): the truth is exactly the margin, or beyond it.
BAD_WORLDS = [(0.05, 0.0), (0.06, 0.01), (0.15, 0.10), (0.30, 0.25), (0.20, 0.10)]
LOOKS, RUNS = 600, 2_000


def weighed(pairs, **options):
    """Evidence of pairs of scores."""
    present, candidate = [p for p, _ in pairs], [c for _, c in pairs]
    return weigh(present, candidate, measure="label", against="labels", **options)


def seen_so_far(worse, better, seed=1):
    """Counts of each difference after every pair: (runs, looks, 3)."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(3, size=(RUNS, LOOKS), p=[worse, 1 - worse - better, better])
    return np.cumsum(drawn[..., None] == np.arange(3), axis=1, dtype=np.int32)


@pytest.mark.parametrize(("worse", "better"), BAD_WORLDS)
def test_looking_after_every_pair_adopts_a_worse_model_in_5_percent_at_most(
    worse, better
):
    """Continuous looks do not inflate the error: 600 looks, 2,000 histories."""
    ever = adopts(VALUES, seen_so_far(worse, better), 0.05, 0.95).any(axis=1)

    allowed = 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)
    assert ever.mean() <= allowed


@pytest.mark.parametrize(("worse", "better"), [(0.05, 0.0), (0.15, 0.10), (0.1, 0.1)])
def test_looking_after_every_pair_refuses_a_fair_model_in_5_percent_at_most(
    worse, better
):
    """The other error is bounded in the same way."""
    ever = refuses(VALUES, seen_so_far(worse, better), 0.05, 0.95).any(axis=1)

    assert ever.mean() <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)


def test_graded_scores_keep_the_error_too():
    """Nothing is assumed of the differences but their range."""
    rng = np.random.default_rng(2)
    values = np.array([-1.0, -0.4, -0.1, 0.0, 0.1, 0.3])
    shares = np.array([0.05, 0.05, 0.2, 0.42, 0.2, 0.08])
    shares[3] += 1 - shares.sum()
    margin = -float(values @ shares)
    drawn = rng.choice(6, size=(RUNS, 300), p=shares)
    counts = np.cumsum(drawn[..., None] == np.arange(6), axis=1, dtype=np.int32)

    ever = adopts(values, counts, margin, 0.95).any(axis=1)
    assert 0 < ever.mean() <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / RUNS)


@pytest.mark.parametrize(
    ("worse", "better", "pairs", "power"),
    [
        (0.0, 0.0, 100, 1.0),
        (0.025, 0.025, 500, 0.9),
        (0.075, 0.125, 500, 0.9),
        (0.10, 0.20, 200, 0.75),
        (0.10, 0.10, 1000, 0.65),
    ],
)
def test_a_good_model_is_adopted_with_enough_pairs(worse, better, pairs, power):
    """Power, with one look, at a margin of 0.05."""
    rng = np.random.default_rng(3)
    shares = [worse, 1 - worse - better, better]
    counts = rng.multinomial(pairs, shares, size=1_000)

    assert adopts(VALUES, counts, 0.05, 0.95).mean() >= power


@given(SCORES, st.floats(0, 0.5), st.floats(0.6, 0.999))
def test_the_verdict_can_be_read_from_the_interval(pairs, margin, confidence):
    """Adopt is an interval above the margin, refuse one below it."""
    evidence = weighed(pairs, margin=margin, confidence=confidence)

    low, high, _ = evidence.interval
    assert -1 <= low <= high <= 1
    if evidence.verdict == "adopt":
        assert low >= -margin - 1e-9
    if evidence.verdict == "refuse":
        assert high <= -margin + 1e-9
    if low > -margin + 1e-9:
        assert evidence.verdict == "adopt"
    if pairs:
        assert low - 1e-9 <= evidence.difference <= high + 1e-9


@given(SCORES, st.randoms())
def test_the_order_of_the_pairs_does_not_count(pairs, random):
    """The same pairs in another order are the same evidence."""
    shuffled = random.sample(pairs, len(pairs))
    one, other = weighed(pairs), weighed(shuffled)

    assert one.verdict == other.verdict
    assert one.interval == pytest.approx(other.interval)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=60))
def test_so_many_more_pairs_decide(differences):
    """`need_pairs` more of the same kind, and one less does not."""
    values, counts = np.unique(differences, return_counts=True)
    present = [max(0.0, -d) for d in differences]
    candidate = [max(0.0, d) for d in differences]
    evidence = weigh(present, candidate, measure="label", against="labels")
    if evidence.need_pairs is None:
        return
    scale = 1 + evidence.need_pairs / len(differences)
    less = 1 + (evidence.need_pairs - 1) / len(differences)

    assert verdict_of(values, counts * scale, 0.05, 0.95) != "need_more"
    assert verdict_of(values, counts * less, 0.05, 0.95) == "need_more"


def test_without_pairs_nothing_is_known():
    """The interval is the whole scale, and at least 70 pairs are wanted."""
    evidence = weighed([])

    assert evidence.verdict == "need_more"
    assert math.isnan(evidence.difference)
    assert evidence.interval == (-1.0, 1.0, 0.9)
    assert evidence.need_pairs == weighed([(1.0, 1.0)]).need_pairs + 1 > 60


@pytest.mark.parametrize(
    "options", [{"margin": -0.1}, {"margin": 1.0}, {"confidence": 0.5}]
)
def test_numbers_out_of_range_are_refused(options):
    """A margin or a confidence that means nothing."""
    with pytest.raises(ValueError, match="is not in"):
        weighed([(1.0, 1.0)], **options)
    with pytest.raises(ValueError, match="not in"):
        weighed([(1.0, float("nan"))])
    with pytest.raises(ValueError, match="1 scores"):
        weigh([1.0], [], measure="label", against="labels")

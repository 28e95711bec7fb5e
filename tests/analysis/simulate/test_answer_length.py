"""Ratios of answers' lengths: learned within groups, and with an honest interval."""

import numpy as np
import pytest

from lectr_lab.analysis.simulate.answer_length import (
    LEAST_ANSWERS,
    Lengths,
    length_ratio,
)


def lengths(tokens):
    return Lengths(len(tokens), float(np.sum(tokens)), float(np.sum(tokens**2)))


def test_other_work_does_not_pass_for_another_manner():
    """The target answers only long features: within each, it writes as much."""
    few, many = np.tile([90.0, 110.0], 50), np.tile([900.0, 1100.0], 50)
    present = {("short", None): lengths(few), ("long", None): lengths(many)}

    found = length_ratio(present, {("long", None): lengths(many)}, 0.9)

    assert found.ratio == pytest.approx(1)


def test_too_few_answers_teach_nothing():
    """Twenty-nine are not thirty."""
    group = ("faq", None)
    some = Lengths(LEAST_ANSWERS, 3000.0, 310_000.0)
    fewer = Lengths(LEAST_ANSWERS - 1, 2900.0, 300_000.0)

    assert length_ratio({group: some}, {group: some}, 0.9) is not None
    assert length_ratio({group: some}, {group: fewer}, 0.9) is None
    assert length_ratio({group: fewer}, {group: some}, 0.9) is None


def test_answers_without_tokens_teach_nothing():
    """Embeddings have none."""
    none = Lengths(100, 0.0, 0.0)

    assert length_ratio({("f", None): none}, {("f", None): none}, 0.9) is None


@pytest.mark.slow
def test_the_interval_covers_the_true_ratio():
    """Lognormal lengths in three features: 90 % intervals cover 87 to 93 %."""
    rng, truth, trials = np.random.default_rng(7), 1.4, 2_000
    covered = 0
    for _ in range(trials):
        present, other = {}, {}
        for group, mean in (("a", 20.0), ("b", 200.0), ("c", 900.0)):
            long = mean * truth
            present[group, None] = lengths(mean * rng.lognormal(-0.32, 0.8, 120))
            other[group, None] = lengths(long * rng.lognormal(-0.32, 0.8, 60))
        low, high, _ = length_ratio(present, other, 0.9).interval
        covered += low <= truth <= high

    assert 0.87 <= covered / trials <= 0.93

"""Changes in words."""

import pytest

from lectr_lab.core.change_words import made_by, rose_by, signed_usd


@pytest.mark.parametrize(
    "part", ["requests", "models", "prompt", "cache", "answer", "price", "other"]
)
def test_a_part_has_a_word_for_each_way(part):
    """More and less of it are told apart."""
    assert made_by(part, 1.0) != made_by(part, -1.0)


def test_a_sign_is_always_there_but_for_nothing():
    """What is left of a sum of floats is nothing."""
    assert [signed_usd(usd) for usd in (2.0, -2.0, 1e-16)] == ["+$2.00", "-$2.00", "$0"]


def test_a_rise_says_what_part_of_the_former_it_is():
    """Where there was any."""
    assert rose_by(1.0, 21.5) == "Spend rose by $20.50 (+2,050 %)"
    assert rose_by(4.0, 1.0) == "Spend fell by $3.00 (-75 %)"
    assert rose_by(0.0, 0.0) == "Spend stayed at $0"

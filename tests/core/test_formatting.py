"""Numbers and names as people read them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.formatting import count, duration, name, names, percent, usd


@pytest.mark.parametrize(
    "said, expected",
    [
        (usd(999.4), "$999.40"),
        (usd(999.6), "$1,000"),
        (usd(0.999), "$1.00"),
        (usd(0.5), "$0.50"),
        (usd(0.0000123), "$0.000012"),
        (duration(0.0), "0 ms"),
        (duration(9.96), "10 ms"),
        (duration(999.6), "1.0 s"),
        (duration(59_960.0), "1.0 min"),
        (duration(None), "—"),
        (percent(0.999), "100 %"),
        (percent(0.0999), "10 %"),
        (percent(0.05), "5.0 %"),
        (percent(1.0), "100 %"),
        (count(0), "0"),
    ],
)
def test_numbers_at_their_turning_points(said, expected):
    """Units change where the rounded number would."""
    assert said == expected


@given(st.floats(1e-9, 1e9))
def test_what_is_not_zero_does_not_read_zero(amount):
    """A small amount is an amount."""
    assert re.search("[1-9]", usd(amount))


@given(st.text())
def test_a_name_is_one_line_of_bounded_length(text):
    """Whatever a client sent."""
    shown = name(text, most=20)

    assert 1 <= len(shown) <= 20
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)


@given(st.lists(st.text(max_size=4), max_size=20))
def test_no_two_names_are_shown_alike(texts):
    """A cut name does not hide another."""
    assert len(set(names(texts, most=2))) == len(texts)


def test_emoji_stay_whole():
    """Joiners are kept: a family is one sign."""
    assert name("👩‍👩‍👧‍👦") == "👩‍👩‍👧‍👦"

"""Whole numbers as short text."""

import json
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unpacked import unpacked

from lectr_lab.dashboards.packed import differences, packed
from lectr_lab.dashboards.script import script

EDGES = [0, 1, 31, 32, 33, 1023, 1024, 10**6, 2**31, 2**32 + 1, 2**53]


@given(st.lists(st.integers(0, 2**53)))
def test_what_is_packed_is_read_back(numbers):
    """Whatever the numbers, and no letter needs to be escaped."""
    text = packed(numbers)

    assert unpacked(text) == numbers
    assert json.dumps(text) == f'"{text}"' and escape(text) == text


@given(st.lists(st.integers(-(10**15), 10**15)).map(sorted), st.integers(-(10**15), 0))
def test_differences_add_up(rising, first):
    """To what they are of."""
    found = first
    for by, n in zip(differences(rising, first), rising, strict=True):
        found += by
        assert found == n


def test_the_script_reads_the_same(opened):
    """Up to the largest whole number that it knows."""
    tab = opened(f"<script>{script()}</script>")

    assert tab.evaluate("text => lectr.unpacked(text)", packed(EDGES)) == EDGES
    assert tab.evaluate("lectr.unpacked('')") == []


def test_less_than_nothing_is_refused():
    """It would never end."""
    with pytest.raises(ValueError, match="below zero"):
        packed([-1])

"""Tests where the price list is not installed. `test_strangers` runs them."""

import pytest
from beside import hi

pytestmark = pytest.mark.lectr("hi.json")


def test_a_recording_is_played(lectr):
    """That needs no price."""
    assert hi() == "hi 😀"


def test_a_budget_says_what_to_install(lectr):
    """It fails."""
    hi()
    lectr.assert_budget(usd_per_call=0.01)

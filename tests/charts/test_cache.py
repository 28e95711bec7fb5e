"""The chart of what the cache missed."""

import polars as pl
import pytest
from vl_convert import vegalite_to_svg

from lectr_lab.analysis.views.cache_misses import CAUSES
from lectr_lab.charts.cache import _WORDS, cache_loss_bars
from lectr_lab.core.errors import LabError

LOSSES = pl.DataFrame(
    {
        "org": ["acme", "acme", "acme"],
        "cause": ["pause", "too_short", "provider"],
        "requests": [40, 3, 2],
        "missed_tokens": [10**6, 10**4, 10**3],
        "lost_usd": [3.0, 1.0, None],
    }
)


def test_it_says_what_most_was_lost_to():
    """And beside each bar how much, of how many requests."""
    chart = cache_loss_bars(LOSSES)
    svg = vegalite_to_svg(chart.to_json())

    most = "$4.00 that a cache could have saved; most: pauses longer than it lasts"
    assert chart.title.text == most
    for text in ("$3.00 · 75 % · n 40", "prompts too short", "no price known · n 2"):
        assert text in svg


def test_of_several_orgs_each_is_named():
    """As in the other charts."""
    two = pl.concat([LOSSES, LOSSES.with_columns(org=pl.lit("other"))])

    assert "acme · other tools" not in vegalite_to_svg(cache_loss_bars(two).to_json())
    assert "other · prompts too short" in vegalite_to_svg(
        cache_loss_bars(two).to_json()
    )


def test_every_cause_has_its_words():
    """None is shown as the column has it."""
    assert {*_WORDS} == {*CAUSES}


def test_a_log_is_no_view():
    """It is said what to give."""
    with pytest.raises(LabError, match="cache_losses"):
        cache_loss_bars(pl.DataFrame({"cause": ["pause"]}))

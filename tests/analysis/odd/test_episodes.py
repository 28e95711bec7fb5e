"""Rare looks become incidents."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.analysis.odd.episodes import alarms, episodes
from lectr_lab.analysis.odd.findings import LOOKS


def looks(*rows):
    """Looks of (series, cell, rate), of one kind in windows of five minutes."""
    full = [(s, c, "errors", 1, r, 5.0, 1.0, 0.1, 9.0) for s, c, r in rows]
    return pl.DataFrame(full, LOOKS, orient="row")


def test_an_incident_goes_on_while_it_is_warm():
    """Looks up to an hour apart are one; after an hour's quiet it is another."""
    some = looks((0, 100, 0.1), (0, 110, 9.0), (0, 122, 0.2), (0, 135, 0.1))

    found = list(episodes(some, 0.3, 500))

    assert [(e.found, e.last) for e in found] == [(100, 122), (135, 135)]
    assert not found[0].open


def test_what_is_warm_alone_is_no_incident():
    """One opens at the budget, and not before."""
    assert list(episodes(looks((0, 1, 9.0), (0, 2, 5.0)), 0.3, 9)) == []


def test_an_incident_is_open_until_its_quiet_has_passed():
    """At the end of the record."""
    [found] = episodes(looks((0, 100, 0.1)), 0.3, 105)

    assert found.open


@given(
    rates=st.lists(st.floats(0.001, 20), min_size=1, max_size=12),
    budget=st.sampled_from([0.1, 0.3, 1.0]),
)
def test_series_that_are_odd_together_are_held_by_benjamini_and_hochberg(rates, budget):
    """Of k within k budgets each, the largest such k; one alone by the budget."""
    some = looks(*((n, 7, rate) for n, rate in enumerate(rates)))

    found = alarms(some, budget)["rate"].to_list()

    in_order = sorted(rates)
    most = max(
        (k for k, rate in enumerate(in_order, 1) if rate <= k * budget), default=0
    )
    limit = most * budget
    assert sorted(found) == [rate for rate in in_order if rate <= limit]

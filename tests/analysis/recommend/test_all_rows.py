"""A log of few rows is looked at row by row, whatever it was given as."""

import pytest

from lectr_lab.analysis.recommend import all_rows


def test_rows_without_a_cost_are_priced(log_of, event):
    """And those of one org alone are looked at, where it is named."""
    log = all_rows.log_of(log_of([event(org="a"), event(org="b")]), None, "a")

    found = all_rows.looked_at_all(log)

    assert found.groups["org"].to_list() == ["a"]
    assert found.groups["spend_usd"].to_list() == [pytest.approx(0.00045)]
    assert found.edges.height == 1

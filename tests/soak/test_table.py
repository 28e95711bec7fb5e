"""Figures: what is printed, and what is broken."""

from soak.table import at_most, equal, none, table


def test_a_broken_law_is_marked_and_explained():
    """In its line, and below the table with examples."""
    text = table([none("doubles", ["soak-7"] * 20), at_most("files", 3, 4)])

    assert "| doubles | **20** **BROKEN** |" in text
    assert "| files | 3 (at most 4) |" in text
    assert text.count("  soak-7") == 8
    assert "… and 12 more" in text
    assert text.endswith("1 of 2 laws broken.")


def test_what_differs_is_told_way_by_way():
    """Each way's own value."""
    figure = equal("rows", {"scan": 3, "DuckDB": 4})

    assert not figure.holds
    assert figure.examples == ["scan: 3", "DuckDB: 4"]
    assert equal("rows", {"scan": 3, "DuckDB": 3}).holds


def test_a_bound_that_is_passed_is_broken():
    """And one that is met is not."""
    assert at_most("MiB", 10, 10).holds
    assert not at_most("MiB", 10.1, 10).holds

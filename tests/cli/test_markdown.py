"""Tables of Markdown."""

import polars as pl

from lectr_lab.cli.markdown import markdown_table, plain


def test_a_cell_stays_in_its_cell():
    """What would end it, or start something else, is text."""
    table = markdown_table(
        pl.DataFrame({"feature": ["a|b", "*c*"], "requests": [1, 2]})
    )

    assert table.splitlines() == [
        "| feature | requests |",
        "| :-- | --: |",
        "| a\\|b | 1 |",
        "| \\*c\\* | 2 |",
    ]


def test_text_means_nothing_else():
    """Each sign that would is escaped."""
    assert plain("`[x](y)` <b> #1") == "\\`\\[x\\](y)\\` \\<b\\> \\#1"

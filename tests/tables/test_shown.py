"""A frame that shows itself."""

import polars as pl

from lectr_lab.tables import table


def test_a_view_shows_itself_in_a_cell_and_in_a_terminal():
    """A lazy view is collected; the data stays at hand."""
    view = pl.LazyFrame({"feature": [None], "spend_usd": [1.5]})

    shown = table(view, "Where the money goes", note="Made up.")

    assert repr(shown) == (
        "Where the money goes\nfeature   spend\nuntagged  $1.50\nMade up."
    )
    assert '<p class="title">Where the money goes</p>' in shown._repr_html_()
    assert shown.frame["spend_usd"].to_list() == [1.5]

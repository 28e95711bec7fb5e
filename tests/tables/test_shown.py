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
    assert "<caption>Where the money goes</caption>" in shown._repr_html_()
    assert shown.frame["spend_usd"].to_list() == [1.5]


def test_one_org_stands_in_the_title_and_several_in_the_rows():
    """Without a title it stands below; the frame keeps it."""
    mine = pl.DataFrame({"org": ["me", "me"], "requests": [1, 2]})
    ours = pl.DataFrame({"org": ["me", "you"], "requests": [1, 2]})

    shown = table(mine, "Requests")

    assert repr(shown).startswith("Requests, for me\nrequests\n")
    assert "Requests, for me</p>" in shown._repr_html_()
    assert shown.frame.columns == ["org", "requests"]
    assert "you" in repr(table(ours, "Requests"))
    assert repr(table(mine)).startswith("requests\n")
    assert repr(table(mine)).endswith("\nIn every row: org me.")

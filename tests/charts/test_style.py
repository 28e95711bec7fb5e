"""What all charts share."""

import re

import altair as alt
import polars as pl

from lectr_lab.charts import style


def text(row: style.Row) -> str:
    return f"n {row['requests']}"


def test_a_group_is_named_by_its_keys():
    """The org is left out where all rows share it, and said where they do not."""
    view = pl.DataFrame(
        {"org": ["a", "a"], "feature": ["chat", None], "requests": [1, 2]}
    )
    two = view.with_columns(org=pl.Series(["a", "b"]))

    assert style.labelled(view, text)["label"].to_list() == ["chat", "—"]
    assert style.labelled(two, text)["label"].to_list() == ["a · chat", "b · —"]
    assert style.labelled(view, text)["text"].to_list() == ["n 1", "n 2"]


def test_one_row_per_org_is_named_by_it():
    """With no other key, the org is the name."""
    view = pl.DataFrame({"org": ["a"], "requests": [1]})

    assert style.labelled(view, text)["label"].to_list() == ["a"]


def test_two_names_cut_alike_stay_two_bars():
    """A bar is never hidden behind another."""
    view = pl.DataFrame({"feature": ["x" * 200, "x" * 201], "requests": [1, 1]})

    assert style.labelled(view, text)["label"].n_unique() == 2


def test_series_have_colours_of_their_own_and_greys_mean_no_name():
    """Untagged and all others are grey; features are not."""
    features = ["a", "untagged", "b", style.OTHERS]

    a, untagged, b, others = style.series_colours(features)

    assert (untagged, others) == (style.GREY, style.LINE)
    assert len({a, b, untagged, others}) == 4


def test_longer_texts_get_more_room():
    """But the marks keep some."""
    short, long, huge = (
        style.room(pl.DataFrame({"text": ["x" * n]})) for n in (10, 30, 300)
    )

    assert 1 < short < long < huge < 4
    assert style.room(pl.DataFrame({"text": []}, {"text": pl.String})) < short


def test_extremes_of_nothing_are_zero():
    """Empty and null columns have an extent."""
    view = pl.DataFrame({"x": [None, None]}, {"x": pl.Float64})

    assert (style.smallest(view, "x"), style.largest(view, "x")) == (0.0, 0.0)


def test_a_chart_shows_itself_in_a_cell_without_a_network():
    """A picture in the output, and nothing that would be fetched."""
    bar = alt.Chart(pl.DataFrame({"n": [1]})).mark_bar().encode(alt.X("n"))

    shown = style.titled("Finding", "what is shown", 60, bar)._repr_mimebundle_()

    assert shown["image/svg+xml"].startswith("<svg")
    assert "<script" not in shown["image/svg+xml"]
    assert shown["text/plain"] == "<chart: Finding>"


def test_a_chart_in_a_page_has_the_page_s_ink_and_names_of_its_own():
    """Readable in a dark theme; no part is cut as another chart's is."""
    bars = [
        alt.Chart(pl.DataFrame({"n": [n]}))
        .mark_bar(cornerRadiusEnd=2)
        .encode(alt.X("n"), alt.Y("n"))
        for n in (1, 2)
    ]

    one, two = (
        style.titled("Finding", "what is shown", 60, bar)._repr_mimebundle_()
        for bar in bars
    )

    assert "currentColor" in one["text/html"]
    assert style.INK not in one["text/html"] and 'fill="white"' not in one["text/html"]
    ids = [set(re.findall(r'id="([^"]+)"', shown["text/html"])) for shown in (one, two)]
    used = set(re.findall(r"url\(#([^)]+)\)", one["text/html"]))
    assert ids[0] and used <= ids[0] and ids[0].isdisjoint(ids[1])

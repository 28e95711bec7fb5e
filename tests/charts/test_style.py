"""What all charts share."""

import json
import re
from itertools import combinations

import altair as alt
import numpy as np
import polars as pl
import pytest

from lectr_lab.charts import style
from lectr_lab.dashboards.script import script


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


# What three kinds of colour-blind people see of linear red, green and blue.
# Source: Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009), 1291-1298.
SEEN = {
    "protan": [(0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)],
    "deutan": [(0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)],
    "tritan": [(1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)],
}
XYZ = [(0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728)]


def lab(colour: str, seen: list[tuple[float, ...]]) -> np.ndarray:
    """CIELAB of a colour, under daylight."""
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(XYZ) @ (np.array(seen) @ linear).clip(0, 1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_colour_blind_people_can_tell_the_series_apart(seen):
    """Of any two colours the distance is far above 2.3, which is just noticed."""
    labs = [lab(colour, seen) for colour in (*style._SERIES, style.GREY)]

    nearest = min(np.linalg.norm(a - b) for a, b in combinations(labs, 2))

    assert nearest > 12


def test_the_dashboard_has_the_same_colours():
    """Its script cannot import them."""
    code = script("page.js")

    assert f"COLOURS = {json.dumps(style._SERIES)}" in code
    assert f'GREY = "{style.GREY}"' in code


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_kinds_of_token_have_colours_that_no_feature_has(seen):
    """Told apart from each other by everyone, and from every feature's."""
    said = re.search(r"const KINDS = \[(.*)\];", script("page.js"))[1]
    kinds = [lab(colour, seen) for colour in re.findall("#[0-9A-F]{6}", said)]
    features = [lab(colour, seen) for colour in (*style._SERIES, style.GREY)]

    assert len(kinds) == 4
    apart = min(np.linalg.norm(a - b) for a, b in combinations(kinds, 2))
    others = min(np.linalg.norm(a - b) for a in kinds for b in features)
    assert apart > 12 and others > 7


def test_longer_texts_get_more_room():
    """But the marks keep some."""
    short, long, huge = (
        style.room(pl.DataFrame({"text": ["x" * n], "key": [" a"]}))
        for n in (20, 40, 300)
    )

    assert 1 < short < long < huge <= 10
    none = pl.DataFrame({"text": [], "key": []}, {"text": pl.String, "key": pl.String})
    assert style.room(none) < short


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


def test_a_chart_of_ones_own_has_the_manner_of_the_others():
    """Its axes are quiet, and readable in a dark cell, without a word about them."""
    rows = pl.DataFrame({"day": [1, 2], "calls": [3, 5]})
    bars = alt.Chart(rows).mark_bar().encode(alt.X("day"), alt.Y("calls"))

    shown = style.titled("More each day", "calls", 200, bars)._repr_mimebundle_()

    texts = re.findall(r"<text[^>]*>", shown["text/html"])
    assert len(texts) > 4
    assert all('fill="currentColor"' in text for text in texts)


def test_all_others_are_one_more():
    """Of more groups than are shown; where the rest is not known together, they are cut."""
    n = style.MOST_GROUPS + 7
    view = pl.DataFrame(
        {
            "org": ["o"] * n,
            "feature": [f"f{i}" for i in range(n)],
            "model": [f"m{i}" for i in range(n)],
            "requests": [1] * n,
        }
    )

    shown = style.labelled(view, lambda row: str(row["requests"]), others=True)

    assert shown.height == style.MOST_GROUPS + 1
    last = shown.row(-1, named=True)
    assert (last["label"], last["text"]) == ("all others (7)", "7")
    assert style.bar_colours(shown)[-1] == style.REST
    assert style.labelled(view, str).height == style.MOST_GROUPS


def test_a_small_picture_is_not_blown_up():
    """It is shown as large as it is; a large one becomes smaller in a narrow cell."""
    bar = alt.Chart(pl.DataFrame({"n": [1]})).mark_bar().encode(alt.X("n"))
    for width in (200, 700):
        html = style.titled("t", "s", 60, bar, width=width)._repr_mimebundle_()
        least, own = (
            int(re.findall(form, html["text/html"])[0])
            for form in (r"min-width:(\d+)px", r' width="(\d+)')
        )

        assert least == min(own, 600)

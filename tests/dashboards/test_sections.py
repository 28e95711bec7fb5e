"""What stands below the charts."""

import tomllib
from fnmatch import fnmatchcase

import polars as pl
import pytest

from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.views.data_gaps import unpriced_models
from lectr_lab.analysis.views.summary import summary
from lectr_lab.core.recommendation import Interval, Recommendation
from lectr_lab.dashboards import sections


def test_the_table_names_orgs_where_there_are_several(log):
    """One org needs no column; what is left out is counted."""
    rows = summary(log({"org": "a"}, {"org": "b"})).collect()

    assert ">org</th>" in sections.table(rows)
    assert ">org</th>" not in sections.table(rows.head(1))
    assert sections.table(rows.clear()) == ""


def test_price_help_is_toml_that_fits_the_model(log):
    """Once the prices are filled in, whatever the model is called."""
    model = 'a"b\\c<d>[e]'
    text = sections.price_help(unpriced_models(log({"model_actual": model})).collect())

    shown = text.split("<pre>")[1].split("</pre>")[0]
    written = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    [entry] = tomllib.loads(written.replace("…", "1"))["price"]
    assert fnmatchcase(model, entry["model"])


@pytest.mark.parametrize("n", [1, 7])
def test_features_that_stream_without_usage_are_told_what_to_add(n):
    """Some names, the rest as a number, and the line that mends it, all escaped."""
    features = ["<b>", *(f"f{i}" for i in range(1, n))]
    silent = pl.DataFrame({"feature": features, "requests": [2] * n})

    said = sections.usage_advice(silent)

    assert f"{2 * n} streams" in said
    assert "&lt;b&gt;" in said and "include_usage&quot;: True" in said
    assert ("and 2 more" in said) == (n == 7)


def test_nothing_to_say_is_nothing():
    """No advice without a reason, no help where nothing is unpriced."""
    silent = pl.DataFrame({"feature": [], "requests": []})

    assert sections.usage_advice(silent) == sections.price_help(pl.DataFrame()) == ""


def test_recommendations_stand_in_a_table():
    """With their saving, their interval and their reasons; none is no table."""
    found = Recommendation(
        org="me",
        feature="<chat>",
        task="classification",
        provider="openai",
        from_model="gpt-4o",
        to_model="gpt-4o-mini",
        confidence="high",
        reasons=("short answers",),
        requests=10,
        days=14,
        spend_usd=9.0,
        saving_usd_month=120.0,
        saving_interval=Interval(80.0, 150.0, 0.9),
    )

    text = sections.recommendations(Recommendations((found,)))

    assert "$120.00 [$80.00, $150.00]" in text and "short answers" in text
    assert "&lt;chat&gt;" in text and "<chat>" not in text
    assert sections.recommendations(Recommendations()) == ""


def test_a_note_leads_to_the_page_that_it_names():
    """One beside it, and no other; the rest of a note is text."""
    said = sections.notes(
        ["See minute.html, not ../a.html or <b>x.html</b> of h/i.html."]
    )

    assert '<a href="minute.html">minute.html</a>' in said
    assert "<b>" not in said and said.count("<a ") == 2

"""The sections of a page."""

import tomllib

import polars as pl
import pytest

from lectr_lab.analysis.quality import unpriced_models
from lectr_lab.analysis.summary import summary, totals
from lectr_lab.dashboards import sections


def test_the_period_is_said_in_the_zone_asked_for(log):
    """09:00 UTC is 18:00 in Tokyo."""
    head = totals(log({}, {})).collect().row(0, named=True)

    assert "2 November 2026, 18:00 to 2 November 2026, 19:00 (Asia/Tokyo)" in (
        sections.heading("t", head, "Asia/Tokyo")
    )


@pytest.mark.parametrize(
    "dropped, said", [(0, ""), (1, "1 event dropped"), (9, "9 events")]
)
def test_the_banner_counts(dropped, said):
    """Nothing where nothing is missing."""
    banner = sections.banner(dropped)

    assert said in banner and bool(banner) == bool(dropped)


def test_reliability_always_names_estimated_unpriced_and_dropped(log):
    """Zeros too; the rest where there is some."""
    head = totals(log({})).collect().row(0, named=True)

    quiet = sections.reliability(head, 0)
    loud = sections.reliability(head | {"uncounted": 3}, 2)

    assert quiet.count("<li") == 3
    assert "<b>3</b> answered without a token count" in loud
    assert "<b>2</b> dropped from the log" in loud


def test_the_table_names_orgs_where_there_are_several(log):
    """One org needs no column."""
    rows = summary(log({"org": "a"}, {"org": "b"})).collect()

    assert "<th>Org</th>" in sections.table(rows, with_org=True)
    assert "<th>Org</th>" not in sections.table(rows.head(1), with_org=False)
    assert sections.table(rows.clear(), with_org=False) == ""


def test_price_help_is_toml_that_fits_the_model(log):
    """Once the prices are filled in, whatever the model is called."""
    model = 'a"b\\c<d>'
    text = sections.price_help(unpriced_models(log({"model_actual": model})).collect())

    shown = text.split("<pre>")[1].split("</pre>")[0]
    written = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    [entry] = tomllib.loads(written.replace("…", "1"))["price"]
    assert entry["model"] == model


def test_nothing_to_say_is_nothing(log):
    """No advice, no help."""
    head = totals(log({})).collect().row(0, named=True)

    assert sections.advice(head) == ""
    assert sections.price_help(pl.DataFrame()) == ""
    assert sections.places([]) == ""


@pytest.mark.parametrize("n", [1, 7])
def test_features_that_stream_without_usage_are_told_what_to_add(n):
    """Some names, the rest as a number, and the line that mends it, all escaped."""
    features = ["<b>", *(f"f{i}" for i in range(1, n))]
    silent = pl.DataFrame({"feature": features, "requests": [2] * n})

    said = sections.usage_advice(silent)

    assert f"{2 * n} streams" in said
    assert "&lt;b&gt;" in said and "include_usage&quot;: True" in said
    assert ("and 2 more" in said) == (n == 7)


def test_nothing_is_said_where_all_streams_report():
    """No advice without a reason."""
    assert sections.usage_advice(pl.DataFrame({"feature": [], "requests": []})) == ""

"""A table where scripts run, and where they do not, in a real browser."""

import io
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lectr_lab.tables import table

pytestmark = pytest.mark.slow

START = datetime(2026, 11, 2, tzinfo=UTC)
N = 120


@pytest.fixture
def frame():
    """Names in three scripts, dollars that no text shows whole, an unknown one."""
    names = [f"feature-{i:03}" for i in range(N - 3)] + ["=1+1", "漢字, “x”", 'a"b\nc']
    dollars = [((i * 37) % N) / 7 for i in range(N - 1)] + [None]
    return pl.DataFrame(
        {
            "org": ["me"] * N,
            "feature": names,
            "requests": range(N),
            "share_of_spend": [i / N for i in range(N)],
            "nothing": pl.Series([None] * N, dtype=pl.String),
            "started_at": [START + timedelta(hours=i) for i in range(N)],
            "spend_usd": dollars,
            "many": [2**60 + i for i in range(N)],
            "per_day": [[1.0, float(i)] for i in range(N)],
        }
    )


def names(tab):
    return [cell.strip() for cell in tab.locator("tbody th").all_inner_texts()]


def said(tab):
    return tab.get_by_role("status").inner_text()


def test_it_sorts_by_exact_values_and_says_so(frame, opened):
    """By mouse and by key; unknown is last in both directions; a third time: as given."""
    tab = opened(table(frame, "Spend")._repr_html_())
    tab.get_by_role("button", name="Next").wait_for()
    as_given = names(tab)
    head = tab.get_by_role("columnheader", name="spend", exact=True)
    by_spend = frame.drop_nulls("spend_usd").sort("spend_usd", descending=True)

    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert names(tab) == by_spend["feature"].to_list()[:50]
    assert said(tab) == f"1\u201350 of {N} rows, by spend, descending"

    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert names(tab)[0] == by_spend["feature"].to_list()[-1]
    tab.get_by_role("button", name="Next").click()
    tab.get_by_role("button", name="Next").click()
    assert names(tab)[-1].startswith('a"b')  # of unknown cost

    head.get_by_role("button").press("Space")
    assert head.get_attribute("aria-sort") == "none" and names(tab) == as_given


def test_every_row_can_be_turned_to_and_found(frame, opened):
    """And what is found is said to who listens."""
    tab = opened(table(frame, "Spend")._repr_html_())
    seen = names(tab)
    onwards = tab.get_by_role("button", name="Next")
    onwards.wait_for()
    assert tab.locator("p.more").count() == 0
    while onwards.is_enabled():
        onwards.click()
        seen += names(tab)
    assert len(seen) == N and seen[:3] == ["feature-000", "feature-001", "feature-002"]

    tab.get_by_role("searchbox").fill("$7.14 Feature")
    assert said(tab) == "1 row matches"
    tab.get_by_role("searchbox").fill("feature-11")
    assert said(tab) == "7 rows match"
    assert names(tab) == [f"feature-{i}" for i in range(110, 117)]
    tab.get_by_role("searchbox").fill("nosuch")
    assert said(tab) == "No rows match"
    tab.get_by_role("searchbox").press("Escape")
    assert len(names(tab)) == 50


def test_the_csv_has_exact_values_of_every_column(frame, opened):
    """Those that are not shown as well; no name is a formula; what is sought alone."""
    tab = opened(table(frame, "Where it goes")._repr_html_())
    with tab.expect_download() as download:
        tab.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "where-it-goes-for-me.csv"
    read = pl.read_csv(io.BytesIO(download.value.path().read_bytes()))

    assert read.columns == frame.columns
    assert read["spend_usd"].to_list() == frame["spend_usd"].to_list()
    assert read["many"].to_list() == frame["many"].to_list()
    assert read["feature"].to_list()[-3:] == ["'=1+1", "漢字, “x”", 'a"b<U+000A>c']
    assert read["started_at"][0] == "2026-11-02T00:00:00+00:00"

    tab.get_by_role("searchbox").fill("feature-007")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text("utf-8").splitlines()) == 2


def test_rows_can_be_copied(frame, opened):
    """With tabs between the cells, as a spreadsheet takes them."""
    tab = opened(table(frame.head(2))._repr_html_())
    tab.evaluate(
        "() => { navigator.clipboard.writeText = (t) => { window.held = t; } }"
    )
    tab.get_by_role("button", name="Copy").click()
    tab.wait_for_function("() => window.held")

    head, *rows = tab.evaluate("() => window.held").split("\n")
    assert head.split("\t") == frame.columns
    assert rows[1].split("\t")[6] == str(frame["spend_usd"][1])
    assert said(tab) == "Copied: 2 rows"


def test_without_a_script_the_first_rows_are_there(frame, opened):
    """In an untrusted notebook, on GitHub, in a mail."""
    tab = opened(table(frame, "Spend")._repr_html_(), java_script_enabled=False)

    assert names(tab)[:2] == ["feature-000", "feature-001"]
    assert len(names(tab)) == 51 and names(tab)[-1] == "all others (70)"
    text = tab.locator("body").inner_text()
    assert "Left out, for no row has any: nothing." in text
    assert "H4sI" not in text and tab.locator("button").count() == 0


def test_keys_stay_in_the_table(frame, opened):
    """`x` in JupyterLab cuts the cell; in here it is a letter."""
    html = table(frame)._repr_html_()
    tab = opened(f"<div onkeydown='window.cut = true'>{html}</div>")
    tab.get_by_role("button", name="CSV").press("x")

    assert tab.evaluate("() => window.cut") is None
    assert tab.locator("[data-lm-suppress-shortcuts=true]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_table_scrolls_in_its_own_box(scheme, frame, opened):
    """The page does not; the first column stays, opaque; the box takes the keyboard."""
    tab = opened(table(frame)._repr_html_(), width=320, color_scheme=scheme)
    tab.get_by_role("button", name="Next").wait_for()
    box = tab.locator(".scroll")
    before = tab.locator("tbody th").first.bounding_box()["x"]
    box.focus()
    assert box.evaluate("e => document.activeElement === e")
    box.evaluate("e => { e.scrollLeft = 200 }")

    assert tab.locator("tbody th").first.bounding_box()["x"] == before
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 320
    canvas = "rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 18, 18)"
    drawn = "e => getComputedStyle(e).backgroundColor"
    assert tab.locator("tbody th").first.evaluate(drawn) == canvas


def test_it_prints_without_its_buttons(frame, opened):
    """And the box cuts nothing."""
    tab = opened(table(frame)._repr_html_())
    tab.get_by_role("button", name="CSV").wait_for()
    tab.emulate_media(media="print")

    assert not tab.get_by_role("button", name="CSV").is_visible()
    overflow = "e => getComputedStyle(e).overflowX"
    assert tab.locator(".scroll").evaluate(overflow) == "visible"


def test_alone_in_a_frame_it_has_the_colours_around_it(frame, opened):
    """As marimo shows it: in the dark, light letters."""
    made = table(frame)._repr_html_().replace("&", "&amp;").replace('"', "&quot;")
    tab = opened(f'<iframe srcdoc="{made}"></iframe>', color_scheme="dark")
    inside = tab.frame_locator("iframe")
    inside.get_by_role("button", name="CSV").wait_for()

    colour = inside.locator("tbody td").first.evaluate("e => getComputedStyle(e).color")
    assert colour == "rgb(255, 255, 255)"

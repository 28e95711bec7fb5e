"""Tables in cells and pages."""

from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.tables import html_table
from lectr_lab.tables.html import sparkline

TAGS = {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
NAMES = {"class", "scope", "role", "tabindex", "aria-label", "aria-hidden"}


class Seen(HTMLParser):
    """The elements a browser would make, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@given(st.text() | st.just(HOSTILE), st.text() | st.just(HOSTILE))
def test_what_a_client_sent_stays_text(sent, said):
    """In cells, lists, headings, title and note, whatever it is."""
    frame = pl.DataFrame({"feature": [sent], "list": [[sent]], f"x{said}": [sent]})

    seen = Seen(html_table(frame, title=said, note=said))

    assert set(seen.tags) <= TAGS
    assert seen.names <= NAMES
    assert seen.tags.count("td") + seen.tags.count("th") == 6


def test_a_long_table_is_cut_and_says_so():
    """The first fifty, and how many more."""
    text = html_table(pl.DataFrame({"n": range(1234)}), title="")

    assert text.count("<tr>") == 51
    assert "… and 1,184 more" in text


def test_an_empty_frame_says_so():
    """Its headings are there, no row is."""
    text = html_table(pl.DataFrame(schema={"feature": pl.String}), title="Spend")

    assert '<th scope="col">feature</th>' in text and "No rows." in text


def test_figures_are_flush_right_and_shares_have_a_bar():
    """As wide as the share, never wider than the cell."""
    frame = pl.DataFrame({"feature": ["a", "b"], "share_of_spend": [0.25, 7.0]})

    text = html_table(frame, title="")

    assert '<th scope="col" class="n">share of spend</th>' in text
    assert "left/25.0% 100%" in text and "left/100.0% 100%" in text


def test_nothing_is_fetched_and_no_colour_is_fixed():
    """A dark theme's own colours are inherited."""
    frame = pl.DataFrame({"feature": ["a"], "per_day": [[1.0, 2.0]]})

    text = html_table(frame, title="t")

    assert not any(word in text for word in ("http", "url(", "@import", "<script"))
    assert "color: inherit" in text and "currentColor" in text


@given(st.lists(st.none() | st.floats(-1e12, 1e12), max_size=40))
def test_a_sparkline_stays_in_its_box(values):
    """Whatever the figures are; nothing where there are none."""
    svg = sparkline(values)

    drawn = svg.split('d="')[-1].split('"')[0].replace("M", "L").split("L")
    for point in filter(None, drawn) if svg else ():
        x, y = map(float, point.split(","))
        assert 0 <= x <= 96 and 0 <= y <= 20
    assert bool(svg) == any(v is not None for v in values)


@pytest.mark.parametrize("values, pieces", [([1.0, None, 2.0, 3.0], 1), ([1.0], 0)])
def test_a_missing_value_is_a_gap(values, pieces):
    """The line is not drawn through what nobody knows."""
    assert sparkline(values).count("M") == pieces


def test_dollars_are_no_formulas():
    """Notebooks set what stands between two `$` as mathematics, but not in here."""
    html = html_table(pl.DataFrame({"spend_usd": [1.5]}), title="")

    assert html.startswith('<div class="lectr-table tex2jax_ignore mathjax_ignore">')


def test_a_name_is_not_broken_at_its_hyphens():
    """Short words of a column stay whole; sentences may break."""
    rows = {"model": ["gpt-5.4-mini-2026-03-17"], "why": ["the task-type says so"]}

    html = html_table(pl.DataFrame(rows), title="")

    assert '<th scope="row" class="w">gpt-5.4-mini-2026-03-17</th>' in html
    assert "<td>the task-type says so</td>" in html

"""The page of charts, in every width and on paper."""

from typing import Any

import pytest
from looks.conftest import ARTEFACTS
from looks.test_charts import logs

from lectr_lab.dashboards.page import page

WIDTHS = (390, 640, 1280, 1920)
# What only serves a hand, and bars whose ground a printer would leave out.
_ON_PAPER = """() => {
  const seen = (box) => box.checkVisibility() && box.getBoundingClientRect().width > 1;
  const bars = [...document.querySelectorAll(".track i, .legend i")].filter(seen);
  const inked = bars.every((bar) => getComputedStyle(bar).printColorAdjust === "exact");
  const root = document.documentElement;
  return {
    controls: [...document.querySelectorAll("select, input")].filter(seen).length,
    bars: bars.length, inked, sideways: root.scrollWidth - root.clientWidth,
  };
}"""
PAPER_PX = 718  # A4 at 96 dots an inch, with margins of 1 cm


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """Of every log."""
    titles = {"long": "W" * 60}
    return {
        name: page(some, title=titles.get(name, "Traffic"))
        for name, some in logs().items()
    }


@pytest.mark.slow
def test_no_word_of_the_page_is_cut(faults, pages):
    """On every log, from a phone to a wide screen; at 390 px it does not move sideways."""
    for name, html in pages.items():
        for width in WIDTHS if name == "demo" else WIDTHS[:1]:
            assert faults(html, width, f"page-{name}") == [], (name, width)
    assert faults(pages["demo"], 1280, "page-demo", dark=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo", "many"])
def test_the_page_is_printed_whole(browser: Any, pages, name):
    """Bars without a word about backgrounds, no controls, nothing beyond the paper."""
    tab = browser.new_page(viewport={"width": PAPER_PX, "height": 1000})
    tab.set_content(pages[name])
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    tab.pdf(path=ARTEFACTS / f"page-{name}.pdf", format="A4", print_background=False)
    tab.emulate_media(media="print")

    found = tab.evaluate(_ON_PAPER)

    tab.close()
    assert found["bars"] > 5 and found["inked"]
    assert (found["controls"], found["sideways"]) == (0, 0)

"""What a reader sees, judged by axe-core: no violation, in light and dark.

Its rules are those of WCAG 2.2, levels A and AA, and its own good practice.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from clients.install import NO_NPM, PAGES, installed
from looks.test_charts import page as cells_page

import lectr_lab as lectr
from lectr_lab import charts
from lectr_lab.dashboards.doorman import Doorman
from lectr_lab.dashboards.followed import Followed, folder_source
from lectr_lab.dashboards.page import page
from lectr_lab.dashboards.serve import DashboardServer
from lectr_lab.proxy.server.run import in_thread
from lectr_lab.resources import shipped_traffic

_RUN = """async () => (await axe.run(document)).violations.flatMap((one) =>
  one.nodes.map((node) => `${one.id}: ${node.target}: ${node.html.slice(0, 120)}`))"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that judges."""
    folder = installed(PAGES)
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have axe-core: {NO_NPM}")
        pytest.skip("needs axe-core: python tests/clients/install.py")
    return (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture
def violations(browser: Any, axe: str) -> Callable[..., list[str]]:
    """What axe-core has against a page."""

    def of(html: str, *, dark: bool = False, waits_for: str = "") -> list[str]:
        scheme = "dark" if dark else "light"
        tab = browser.new_page(
            viewport={"width": 1280, "height": 900}, color_scheme=scheme
        )
        if html.startswith("http://127.0.0.1:"):
            tab.goto(html)
            tab.locator("[data-panel=spend]").wait_for(timeout=60_000)
        else:
            tab.set_content(html)
        if waits_for:
            tab.get_by_role("button", name=waits_for).first.wait_for(timeout=30_000)
        tab.evaluate(axe)
        found: list[str] = tab.evaluate(_RUN)
        tab.close()
        return found

    return of


def _table() -> str:
    found: str = lectr.spend(lectr.demo_log())._repr_html_()
    return found


def _pages() -> str:
    """Sorted, searched and paged: its script is at work."""
    log = lectr.demo_log()
    found: str = lectr.spend(log, ["feature", "model"], every="1d")._repr_html_()
    return found


def _chart() -> str:
    bars = charts.spend_bars(lectr.spend(lectr.demo_log()))
    return bars._repr_mimebundle_()["text/html"]


CELLS = {"a chart": _chart, "a table": _table, "many pages": _pages}


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The HTML of each cell."""
    return {name: cell() for name, cell in CELLS.items()}


@pytest.fixture(scope="module")
def pages() -> list[str]:
    """Of four weeks, and of no request."""
    return [page(some) for some in (lectr.demo_log(), lectr.demo_log().head(0))]


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_in_a_cell_is_against_the_rules(violations, made, dark):
    """A chart and a table, in a notebook's page; those have the headings."""
    html = cells_page(made, dark=dark)
    html = html.replace("<main>", "<main><h1>Cells</h1>")

    assert violations(html, dark=dark, waits_for="Next") == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_on_the_page_is_against_the_rules(violations, pages, dark):
    """Which the report writes and a live dashboard fills: four weeks, and no request."""
    for html in pages:
        assert violations(html, dark=dark) == []


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_on_the_live_page_is_against_the_rules(violations, dark):
    """As `lectr-lab dashboard` serves it, over four weeks."""
    door = Doorman()
    app = DashboardServer(
        lambda: Followed(folder_source(shipped_traffic())), door, "Ours"
    )
    with in_thread(app) as base:
        address = f"{base}{door.folder}?token={door.token}"
        assert violations(address, dark=dark) == []

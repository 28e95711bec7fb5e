"""What a mark means in full."""

import pytest

from lectr_lab.dashboards import page


@pytest.fixture
def tab(log, opened):
    return opened(
        page(log({}, {"feature": "search", "outcome": "timeout"})), has_touch=True
    )


def shown(tab):
    tip = tab.locator("[role=tooltip]")
    return tip.inner_text() if tip.is_visible() else None


def test_it_is_there_at_once_under_the_pointer(tab):
    """And away with it; inside the page, whatever it stands beside."""
    row = tab.locator("[data-panel=latency] .row").first
    row.scroll_into_view_if_needed()
    row.hover()

    assert "p95" in shown(tab) and "n 1" in shown(tab)
    box = tab.locator("[role=tooltip]").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1200
    tab.mouse.move(2, 2)
    assert shown(tab) is None


def test_it_is_there_at_the_focus_and_escape_puts_it_away(tab):
    """Of keys, not of clicks."""
    tab.locator("[data-panel=spend] button").first.focus()
    tab.keyboard.press("Tab")
    assert "search" in shown(tab)

    tab.keyboard.press("Escape")

    assert shown(tab) is None


def test_it_is_there_where_it_is_touched(tab):
    """A finger has no hover."""
    tab.locator("[data-panel=errors] .row").first.tap()

    assert "1 of 1 request" in shown(tab)


def test_a_bar_of_time_says_its_parts(tab):
    """The step, its sum, and who made it."""
    bar = tab.locator(".time [data-tip]").first
    bar.hover(force=True)

    assert "2 Nov 09:00: $0.00045" in shown(tab) and "chat: $0.00045" in shown(tab)

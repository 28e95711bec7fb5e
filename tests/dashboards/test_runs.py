"""Sessions and clients on a page."""

import re

from lectr_lab.dashboards import page
from lectr_lab.dashboards.runs import MOST_SESSIONS, PICTURES, runs
from lectr_lab.tables import without_scripts

HOSTILE = "</summary><script>alert(1)</script>"


def run(session: str, requests: int = 2, **more) -> list[dict]:
    return [{"session": session, "client": "codex", **more}] * requests


def test_a_log_that_names_nobody_has_none(log):
    """No empty heading, no column of dashes."""
    assert runs(log({}, {})) == ""


def test_the_dearest_stand_first_and_open_to_a_picture(log):
    """So many of them, the rest counted."""
    made = [
        one
        for i in range(MOST_SESSIONS + 3)
        for one in run(f"s-{i:02d}", output_tokens=100 * (i + 1))
    ]
    html = runs(log(*made))

    ids = re.findall(r"lectr\.session\(log, .{1,6}?(s-\d\d)", html)
    assert ids == [f"s-{i:02d}" for i in range(MOST_SESSIONS + 2, 2, -1)]
    assert html.count("<details>") == MOST_SESSIONS
    assert html.count('<svg class="run"') == PICTURES
    assert "… and 3 more" in html and "Of the whole log" in html


def test_what_a_client_sent_stays_text(log):
    """Ids, features, agents: none becomes an element."""
    html = runs(log(*run(HOSTILE, feature=HOSTILE, agent=HOSTILE, client=HOSTILE)))

    assert "<script" not in without_scripts(html) and "&lt;script" in html


def test_the_page_has_them_and_a_click_opens_one(log, opened):
    """Without a script of its own."""
    tab = opened(page(log(*run("s-1"), *run("s-2", 3))))

    assert tab.locator(".runs details").count() == 2
    picture = tab.locator(".runs svg").first
    assert not picture.is_visible()
    tab.locator(".runs summary").first.click()
    assert picture.is_visible()
    box = picture.bounding_box()
    assert box["width"] > 300 and box["x"] >= 0
    assert "codex" in tab.locator("section:has-text('Clients')").last.inner_text()


def test_what_the_cache_missed_is_told_by_cause(log):
    """Only where prompts were watched; the sentence names the dearest feature."""
    watched = {
        "client": "codex",
        "prompt_chars": 40_000,
        "prefix_chars": 36_000,
        "input_tokens": 10_000,
        "cache_read_tokens": 0,
    }
    first = watched | {"prefix_break": "first", "prefix_kept_chars": 0}
    broken = watched | {"prefix_break": "system", "prefix_kept_chars": 0, "idle_s": 9.0}

    assert "Why the cache missed" not in runs(log(*run("s")))
    html = runs(log(first, broken))
    assert "Why the cache missed" in html and "system prompt changed" in html
    assert "2 of 2 requests were watched" in html


def test_on_a_phone_the_picture_scrolls_and_the_page_does_not(log, opened):
    """Its words stay as large as elsewhere."""
    tab = opened(page(log(*run("s-1"))))
    tab.set_viewport_size({"width": 390, "height": 800})
    tab.locator(".runs summary").first.click()

    assert tab.locator(".runs svg").first.bounding_box()["width"] > 500
    assert tab.evaluate("document.documentElement.scrollWidth") == 390

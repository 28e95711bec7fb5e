"""How a page stands in its place: read, printed, on a phone, in a lab, without a mouse."""

import re
from html import escape
from itertools import pairwise

import pytest

from lectr_lab.dashboards import page

LONG = (
    "onboarding-assistant-rewrite-with-a-name-of-eighty-letters-that-nobody-can-read-b"
)


@pytest.fixture(scope="module")
def html(log):
    """Long names, an unbroken address, several models, failures, sessions."""
    features = [LONG, LONG[:-1] + "a", "chat", None, "ご案内の自動化", "مساعد"]
    rows = [
        {
            "feature": f,
            "model_actual": m,
            "session": f,
            "outcome": o,
            "total_ms": 10.0**n,
        }
        for n, f in enumerate(features)
        for m in ("gpt-4o-mini", "openai/" + "x" * 50)
        for o in ("ok", "timeout")
    ]
    return page(log(*rows), notes=["See https://example.com/" + "a" * 200])


@pytest.mark.parametrize("width", [390, 640, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_or_lies_outside(html, opened, width, scheme):
    """Names, figures and words are whole, at every width; nothing scrolls sideways."""
    tab = opened(html, width, color_scheme=scheme)

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    cut = tab.evaluate("""() => [...document.querySelectorAll(
            "h1, h3, .row .name, .row .text, .figures *, .legend *, .chip, .soft, button")]
        .filter(e => !e.closest(".scroll, .runs, .unseen") && (e.scrollWidth > e.clientWidth + 1
            && getComputedStyle(e).display !== "inline" && getComputedStyle(e).overflow !== "visible"
            || e.getBoundingClientRect().right > innerWidth + 1))
        .map(e => [e.className, e.textContent.slice(0, 60)])""")
    assert cut == []
    over = tab.evaluate("""() => {
        const found = [];
        for (const row of document.querySelectorAll(".row")) {
            const [name, track, text] = [...row.children].map(e => e.getBoundingClientRect());
            if (!text || !row.querySelector(".name")) continue;
            if (name.right > track.left + 1 || (track.right > text.left + 1 && track.bottom > text.top + 1))
                found.push(row.textContent);
        }
        return found;
    }""")
    assert over == []
    labels = tab.locator(".time svg text:not(.word)").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().toJSON())"
    )
    assert min(box["left"] for box in labels) >= 0
    assert max(box["right"] for box in labels) <= width


def contrast(a, b):
    """WCAG 2.2, relative luminance."""

    def luminance(colour):
        parts = [c / 255 for c in colour]
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def blended(tab, selector):
    """The colour of each text as it is seen, with what lies above it in opacity."""
    return tab.evaluate("""selector => [...document.querySelectorAll(selector)].map(e => {
        let opacity = 1;
        for (let at = e; at; at = at.parentElement) opacity *= +getComputedStyle(at).opacity;
        const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const ink = rgb(getComputedStyle(e).color), paper = rgb(getComputedStyle(document.documentElement).backgroundColor);
        return [ink.map((c, i) => c * opacity + paper[i] * (1 - opacity)), paper, e.textContent];
    })""", selector)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_and_the_focus_seen(html, opened, scheme):
    """4.5 to 1 for every word, also of what is not selected; 3 to 1 for the focus."""
    tab = opened(html, color_scheme=scheme)
    tab.locator("[data-panel=spend] [data-feature=chat]").click()

    for ink, paper, text in blended(
        tab,
        ".row .name, .row .text, .soft, .figures dt, .quality li, .change, label, th, td",
    ):
        assert contrast(ink, paper) >= 4.5, text
    tab.keyboard.press("Tab")
    ring = tab.evaluate("getComputedStyle(document.activeElement).outlineColor")
    paper = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    numbers = [[float(n) for n in re.findall(r"[\d.]+", c)[:3]] for c in (ring, paper)]
    assert contrast(*numbers) >= 3
    assert (
        tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    )


def test_a_reader_without_eyes_finds_the_way(html, opened):
    """One h1, no level left out, a main landmark, rows with names that part, a live line."""
    tab = opened(html)

    levels = tab.locator("h1, h2, h3, h4").evaluate_all(
        "all => all.map(e => +e.tagName[1])"
    )
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert tab.locator("main").count() == 1
    row = tab.get_by_role("button", name=re.compile(r"^chat \$"))
    assert (
        row.count() >= 1 and tab.locator("[role=status][aria-live=polite]").count() == 1
    )
    chart = tab.get_by_role("application")
    assert "Arrow keys" in chart.get_attribute("aria-label")
    assert (
        tab.locator("label:has([data-control=search])")
        .inner_text()
        .startswith("search")
    )


def test_keys_stay_inside(html, opened):
    """A notebook around it hears none of them, and JupyterLab is told so."""
    tab = opened(html)
    tab.evaluate(
        "window.heard = 0; document.addEventListener('keydown', () => heard++)"
    )
    tab.locator("[data-panel=spend] button").first.focus()

    for key in ("x", "d", "d", "Enter", "Escape", "ArrowDown"):
        tab.keyboard.press(key)

    assert tab.evaluate("heard") == 0
    assert tab.locator("#dashboard[data-lm-suppress-shortcuts=true]").count() == 1


def test_print_keeps_the_bars_and_leaves_out_the_controls(html, opened):
    """On A4, without the browser's background graphics."""
    tab = opened(html, 794)
    tab.emulate_media(media="print")

    bars = tab.locator(".track .bar").evaluate_all(
        "all => all.map(e => getComputedStyle(e).printColorAdjust)"
    )
    assert set(bars) == {"exact"}
    assert tab.evaluate("document.documentElement.scrollWidth") <= 794
    for control in (".fields", "[data-export]", "[data-order]", "[data-more]"):
        assert not any(
            tab.locator(control).evaluate_all(
                "all => all.map(e => e.checkVisibility())"
            )
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_a_lab_it_has_the_labs_theme_also_when_that_changes(html, opened, theme):
    """Whatever the system's; where the lab sets it after the page was drawn, too."""
    frame = f'<iframe style="border:0;width:100%" srcdoc="{escape(html)}"></iframe>'
    other = "dark" if theme == "light" else "light"
    tab = opened(f"<body>{frame}</body>", color_scheme=other)
    inside = tab.frames[1]
    inside.wait_for_selector("figure")

    for now in (theme, other, theme):
        tab.evaluate(
            "light => { document.body.dataset.jpThemeLight = light; }",
            str(now == "light").lower(),
        )
        inside.wait_for_function(
            f"getComputedStyle(document.documentElement).colorScheme === '{now}'"
        )
    assert inside.evaluate("location.hash") == ""
    inside.locator("[data-panel=spend] button").first.click()
    assert inside.evaluate("location.hash") == ""

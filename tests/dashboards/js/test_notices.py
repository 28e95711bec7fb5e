"""What others found out, and what happened when: drawn where it is there."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from lectr_lab.dashboards import page

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"


def ms(hours):
    return (START + timedelta(hours=hours)).timestamp() * 1000


BESIDE = {
    "odd": [
        {"feature": "chat", "from": ms(4), "to": ms(7), "kinds": ["spend", HOSTILE],
         "sentence": f"chat cost 3 times as much {HOSTILE}", "usd_over": 1.25},
        {"feature": "nobody", "from": ms(9), "to": None, "kinds": [], "sentence": "still odd",
         "usd_over": None},
    ],
    "budgets": [
        {"name": HOSTILE, "spent_usd": 12.0, "limit_usd": 10.0, "per": "day",
         "resets": "at 00:00 UTC", "action": "stop", "bounded": True},
        {"name": "team", "spent_usd": 2.5, "limit_usd": 10.0, "per": "month",
         "resets": None, "action": "warn", "bounded": False},
    ],
    "forecast": {"sentence": f"November will cost about $100 {HOSTILE}.",
                 "budgets": [f"The budget {HOSTILE} will hold."]},
}  # fmt: skip


def test_nothing_is_drawn_where_nobody_looked(log, opened):
    """Neither a heading nor a mark."""
    tab = opened(page(log({})))

    assert tab.locator(".notices, svg .mark, svg .odd").count() == 0


def test_what_is_odd_is_a_strip_and_a_mark_that_selects_it(log, opened):
    """Its time and its feature; names are text."""
    tab = opened(page(log(*[{}] * 12), beside=BESIDE))
    strip = tab.locator(".notices.odd")
    assert "2 things are odd" in strip.inner_text()
    assert "$1.25 over" in strip.inner_text() and "to now" in strip.inner_text()
    assert tab.locator("svg .odd").count() == 2 and tab.locator("img").count() == 0

    strip.locator("button").first.click()

    assert tab.locator(".figures dd").first.inner_text() == "3"
    assert "feature=chat" in tab.url
    strip.locator("button").nth(1).click()
    assert tab.locator(".figures dd").first.inner_text() == "3"


def test_budgets_say_what_is_left_and_what_happens_then(log, opened):
    """And a forecast its sentence."""
    tab = opened(page(log({}), beside=BESIDE))

    said = tab.locator(".notices.budgets").inner_text()

    assert (
        "$12.00 of $10.00 a day" in said and "120 %" in said and "then it stops" in said
    )
    assert "25 %" in said and "then it warns" in said and "no known cost" in said
    assert "begins again at 00:00 UTC" in said and HOSTILE in said
    told = tab.locator(".notices.forecast").inner_text()
    assert "about $100" in told and "will hold. Of the whole log." in told
    assert tab.locator("img").count() == 0


def test_what_happened_is_a_line_with_a_word(log, opened):
    """Where it happened; words do not lie over each other, nor outside."""
    notes = [
        (START + timedelta(hours=n / 4), f"deploy {n} {HOSTILE}") for n in range(1, 40)
    ]
    tab = opened(
        page(log(*[{}] * 12, {"rule": "cheaper"}), notes=["A sentence.", *notes])
    )

    assert tab.locator("svg line.mark").count() == 40  # and a rule
    words = tab.locator("svg text.word")
    boxes = words.evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().toJSON())"
    )
    assert boxes and all(a["right"] <= b["left"] for a, b in pairwise(boxes))
    assert boxes[-1]["right"] <= 1200 and tab.locator("img").count() == 0
    tab.locator("svg .hover[data-tip*='deploy 4']").last.hover(force=True)
    assert "2 Nov 2026 10:00" in tab.locator("[role=tooltip]").inner_text()
    assert "A sentence." in tab.locator("footer").inner_text()


def test_a_mark_stands_between_the_steps_that_it_is_between(log, opened):
    """A quarter into the third of four hours."""
    notes = [(START + timedelta(hours=2, minutes=15), "here")]
    tab = opened(page(log(*[{}] * 4), notes=notes))
    tab.locator("[data-control=step]").select_option("1h")

    x = float(tab.locator("svg line.mark").get_attribute("x1"))
    bars = tab.locator("svg .bar").evaluate_all(
        "all => all.map(e => [+e.getAttribute('x'), +e.getAttribute('width')])"
    )
    (third, wide), (fourth, _) = bars[2], bars[3]
    assert abs(x - (third + 0.25 * (fourth - third))) < 3 and wide > 50

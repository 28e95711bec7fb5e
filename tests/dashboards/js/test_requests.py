"""The requests behind a selection, in a browser."""

import csv
import json
from datetime import timedelta

import pytest

from lectr_lab.analysis.views import cube
from lectr_lab.dashboards import page
from lectr_lab.dashboards.counted import count_log
from lectr_lab.dashboards.page import drawn
from lectr_lab.dashboards.payload import Head, payload
from lectr_lab.dashboards.rows_behind import CARRIED, CARRIED_FAILED, reply
from lectr_lab.dashboards.script import script

MANY = 1_300


@pytest.fixture(scope="module")
def many(log):
    """More requests than a page carries: each dearer than the one before, and newer."""
    start = log({}).select("started_at").collect().item()
    return log(
        *[
            {"started_at": start + timedelta(seconds=n), "output_tokens": (n * 7) % MANY,
             "feature": "even" if n % 2 == 0 else "odd",
             "outcome": "timeout" if n < 300 and n % 3 == 0 else "ok"}
            for n in range(MANY)
        ]
    )  # fmt: skip


def listed(tab):
    """The ids of the requests that are listed, in their order."""
    rows = tab.locator("[data-request]")
    return [
        int(one, 16)
        for one in rows.evaluate_all("all => all.map(e => e.dataset.request)")
    ]


def test_the_dearest_and_the_newest_travel_with_a_page(many, opened):
    """And it says how many of the selected those are."""
    tab = opened(page(many))
    section = tab.locator(".requests")
    assert "Of 1,300 requests, dearest first" in section.inner_text()
    told = f"the {CARRIED} dearest of the log; {CARRIED} of them"
    assert told in section.inner_text()
    dearest = sorted(range(MANY), key=lambda n: -((n * 7) % MANY))
    assert listed(tab) == dearest[:20]

    tab.locator("[data-more=rows]").click()
    assert listed(tab) == dearest[:120]
    tab.locator("[data-order=newest]").click()
    assert listed(tab) == [*range(MANY - 1, MANY - 21, -1)]
    tab.locator("[data-panel=spend] [data-feature=odd]").click()

    assert listed(tab) == [*range(MANY - 1, MANY - 41, -2)]
    assert "Of 650 requests, newest first" in section.inner_text()
    told = f"{CARRIED} newest of the log; 250 of them are selected here"
    assert told in section.inner_text()


def test_what_failed_is_there_though_it_cost_nothing(many, opened):
    """The newest failures travel with a page too."""
    tab = opened(page(many))

    tab.locator("[data-panel=kinds] [data-error=timeout]").click()

    text = tab.locator(".requests").inner_text()
    assert "All 100 requests" in text and CARRIED_FAILED >= 100
    assert len(listed(tab)) == 20
    assert set(tab.locator("[data-request] td:nth-child(8)").all_inner_texts()) == {
        "timeout"
    }


def test_a_request_says_what_it_was(log, opened):
    """When, of what, how much, how long, how it ended, and its id; headed for readers."""
    tab = opened(page(log({"feature": "search", "total_ms": 1234.0})))

    cells = tab.locator("[data-request] td").all_inner_texts()

    assert cells == ["2 Nov 2026 09:00", "search", "gpt-4o-mini", "1,000", "500", "$0.00045",
                     "1.2 s", "ok", "0" * 32]  # fmt: skip
    heads = tab.locator(".requests th")
    assert heads.all_inner_texts()[1] == "feature"
    assert set(heads.evaluate_all("all => all.map(e => e.scope)")) == {"col"}


def test_the_listed_requests_can_be_saved(many, opened):
    """All that are selected of those the page has, with their full figures."""
    tab = opened(page(many))
    tab.locator("[data-panel=spend] [data-feature=odd]").click()

    with tab.expect_download() as waiting:
        tab.locator("[data-of=requests][data-export=csv]").click()

    with waiting.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == 250 and {row["feature"] for row in rows} == {"odd"}
    assert len(rows[0]["id"]) == 32 and rows[0]["at"].endswith("Z")


LIVE = """<script>{script}
const asked = [], own = document.getElementById("dashboard");
const view = lectr.dashboard(own, {{ ask: message => asked.push(message) }});
view.show({data});
</script>"""


def test_a_live_page_asks_its_kernel(many, opened):
    """For what is selected, when something is; an answer that is too late is dropped."""
    counted = count_log(cube.needed(many), "UTC")
    data = payload(counted, Head("Now", "UTC", live="live"))
    html = (
        drawn("Now", "{}")
        .split("<script")[0]
        .replace('content="default-src', 'data-x="')
    )
    tab = opened(html + LIVE.format(script=script(), data=data))
    assert tab.evaluate("asked") == []
    tab.locator("[data-panel=spend] [data-feature=odd]").click()

    [first] = tab.evaluate("asked")
    assert first["selection"]["features"] == [["local", "odd"]]
    assert "Asking" in tab.locator(".requests").inner_text()
    tab.locator("[data-panel=kinds] [data-error=timeout]").click()
    second = tab.evaluate("asked")[1]
    tab.evaluate(
        "answer => view.answer(answer)", json.loads(json.dumps(reply(many, first)))
    )
    assert listed(tab) == []
    tab.evaluate(
        "answer => view.answer(answer)", json.loads(json.dumps(reply(many, second)))
    )

    assert (
        len(listed(tab)) == 20
        and "All 50 requests" in tab.locator(".requests").inner_text()
    )
    tab.keyboard.press("Escape")
    assert len(tab.evaluate("asked")) == 2
    tab.locator("[data-more=requests]").click()
    third = tab.evaluate("asked")[2]
    tab.evaluate(
        "answer => view.answer(answer)", reply(many, third) | {"error": "It is gone."}
    )
    assert "It is gone." in tab.locator(".requests").inner_text()

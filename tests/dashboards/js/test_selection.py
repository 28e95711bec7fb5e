"""What is selected, in a browser: everything follows it, and the address has it."""

from datetime import timedelta

import pytest

from lectr_lab.dashboards import page

RICH = [
    {"feature": "chat"},
    {"feature": "chat", "outcome": "timeout", "input_tokens": None, "output_tokens": None},
    {"feature": "search", "provider": "anthropic", "model_actual": "claude-haiku-4-5"},
    {"feature": "search", "session": "s1"},
    {"feature": None, "session": "s1", "model_actual": "gpt-4o"},
    {"feature": "triage", "outcome": "provider_error", "error_type": "rate_limit_error"},
]  # fmt: skip


@pytest.fixture(scope="module")
def rich(log):
    """Their page."""
    return page(log(*RICH))


def figure(tab, what):
    """What the tile of that name says."""
    return tab.locator(f".figures div:has(dt:text-is('{what}')) dd").first.inner_text()


def state(tab):
    """What is in the address."""
    return tab.evaluate("decodeURIComponent(location.hash.slice(1))").replace("+", " ")


@pytest.mark.parametrize(
    "panel, button, requests, address",
    [
        ("spend", "[data-feature=chat]", 2, "feature=chat"),
        ("models", "[data-provider=anthropic]", 1, "provider=anthropic"),
        ("models", "[data-model='openai · gpt-4o']", 1, "model=openai · gpt-4o"),
        ("kinds", "[data-error=timeout]", 1, "error=timeout"),
        ("sessions", "[data-session=s1]", 2, "session=s1"),
        ("untagged", "[data-feature=untagged] >> nth=0", 1, "feature=untagged"),
    ],
)
def test_every_row_is_a_button_that_everything_follows(
    rich, opened, panel, button, requests, address
):
    """The figures, the requests, the line that says so, the address; again: all."""
    tab = opened(rich)
    row = tab.locator(f"[data-panel={panel}] {button}")

    row.click()

    assert figure(tab, "Requests") == str(requests)
    assert row.get_attribute("aria-pressed") == "true"
    assert state(tab) == address
    assert tab.locator(".requests tbody tr").count() == requests
    assert f"{requests} request" in tab.locator("p[role=status]").text_content()
    row.click()
    assert figure(tab, "Requests") == "6" and state(tab) == ""


def test_several_of_a_kind_are_either_and_of_two_kinds_both(rich, opened):
    """Two features are added, a feature and a model are not."""
    tab = opened(rich)

    tab.locator("[data-panel=spend] [data-feature=chat]").click()
    tab.locator("[data-panel=spend] [data-feature=search]").click()
    assert figure(tab, "Requests") == "4"
    tab.locator("[data-provider=anthropic]").click()
    assert figure(tab, "Requests") == "1"
    tab.locator("[data-clear=feature] >> nth=0").click()
    assert state(tab) == "feature=search&provider=anthropic"


def test_escape_selects_everything(rich, opened):
    """From wherever the focus is; a search ends too."""
    tab = opened(rich)
    tab.locator("[data-panel=spend] [data-feature=chat]").click()
    tab.locator("[data-panel=kinds] [data-error=timeout]").click()
    tab.locator("[data-control=search]").fill("cha")

    tab.keyboard.press("Escape")

    assert figure(tab, "Requests") == "6" and state(tab) == ""
    assert tab.locator("[data-control=search]").input_value() == ""


def test_the_first_click_moves_nothing(log, opened):
    """What was clicked, and all above it, stays where it was."""
    many = [{"feature": f"f{n}", "model_actual": f"m{n}"} for n in range(9)]
    for width in (1280, 700):
        tab = opened(page(log(*RICH, *many)), width)
        for button in ("[data-panel=spend] [data-feature=chat]",
                       "[data-panel=errors] [data-feature=triage]",
                       "[data-panel=kinds] [data-error=timeout]"):  # fmt: skip
            row = tab.locator(button)
            row.scroll_into_view_if_needed()
            before = row.bounding_box()["y"]
            row.click()
            assert abs(row.bounding_box()["y"] - before) <= 1, (width, button)


def test_a_link_opens_where_it_was(log, opened):
    """Time, zoom, step, order and all selections; back and forth by the address."""
    tab = opened(page(log(*RICH * 4)))
    tab.locator("[data-panel=spend] [data-feature=chat]").click()
    tab.locator("svg[data-brush]").focus()
    tab.keyboard.press("ArrowRight")
    for _ in range(9):
        tab.keyboard.press("Shift+ArrowRight")
    tab.locator("[data-zoom=in]").click()
    tab.locator("[data-order=newest]").click()
    tab.locator("[data-control=search]").fill("ch")
    said, requests = state(tab), figure(tab, "Requests")

    tab.reload()

    assert state(tab) == said and figure(tab, "Requests") == requests
    for part in ("zoom=", "feature=chat", "order=newest", "search=ch"):
        assert part in said
    tab.evaluate("location.hash = 'feature=search'")
    tab.wait_for_function("document.querySelector('.figures dd').textContent === '8'")


@pytest.mark.parametrize(
    "address",
    [
        "feature=nobody&model=x&error=&session=7&provider=%ff", "time=9-1", "time=a-b",
        "time=0-1", "zoom=99999999999-999999999999", "step=5y&zone=Nowhere/At_All",
        "__proto__=1&constructor=2&order=best", "&&&===", "%E0%A4%A", "x" * 5000,
        "search=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
    ],
)  # fmt: skip
def test_what_an_address_does_not_mean_is_left_out(rich, opened, address, tmp_path):
    """It selects nothing, runs nothing, and the page is there."""
    tab = opened(rich)

    tab.evaluate("text => { location.hash = text; }", address)
    tab.wait_for_timeout(60)

    assert figure(tab, "Requests") == "6"
    assert tab.locator("img").count() == 0


def test_a_live_log_forgets_what_it_no_longer_has(rich, opened):
    """And keeps the rest of a selection."""
    tab = opened(rich)

    kept = tab.evaluate("""() => {
        const data = JSON.parse(document.getElementById("data").textContent);
        const chosen = lectr.fromAddress("feature=chat&feature=gone&provider=openai", data);
        return [[...chosen.features], [...chosen.providers]];
    }""")

    assert kept == [["chat"], ["openai"]]


def test_zooming_in_shows_a_finer_step(log, opened):
    """And only that span, until it is left."""
    start = log({}).select("started_at").collect().item()
    days = [{"started_at": start + timedelta(hours=7 * n)} for n in range(80)]
    tab = opened(page(log(*days)))
    assert "per day" in tab.locator("[data-panel=time]").inner_text()
    tab.locator("svg[data-brush]").focus()
    for key in ("ArrowRight", *["Shift+ArrowRight"] * 7):
        tab.keyboard.press(key)
    some = figure(tab, "Requests")

    tab.locator("[data-zoom=in]").click()

    assert figure(tab, "Requests") == some
    assert "per 6 hours" in tab.locator("[data-panel=time]").inner_text()
    tab.locator("[data-clear=zoom]").click()
    assert figure(tab, "Requests") == "80"


def test_a_step_is_chosen_from_those_that_were_counted(log, opened):
    """Whichever it is, the sum is the same."""
    start = log({}).select("started_at").collect().item()
    days = [{"started_at": start + timedelta(hours=7 * n)} for n in range(80)]
    tab = opened(page(log(*days)))
    choose = tab.locator("[data-control=step]")

    offered = choose.locator("option").evaluate_all("all => all.map(one => one.value)")

    assert offered == ["", "1h", "6h", "1d", "1w"]
    for step, word in (("1d", "day"), ("1w", "week"), ("1h", "hour")):
        choose.select_option(step)
        panel = tab.locator("[data-panel=time]").inner_text()
        assert f"per {word}" in panel and "$0.036 in all" in panel
        assert f"step={step}" in state(tab)


def test_names_are_found_by_a_search(log, opened):
    """Those that lead in the charts, and all others in their list; the caret stays."""
    many = [{"feature": f"tool-{n:03}"} for n in range(90)]
    tab = opened(page(log(*many, *[{"feature": "chat"}] * 3)))
    others = tab.locator("details.others")
    assert "Who the others are (81)" in others.inner_text()
    search = tab.locator("[data-control=search]")

    search.press_sequentially("OOL-08")

    assert search.input_value() == "OOL-08" and figure(tab, "Requests") == "93"
    names = others.locator("li").all_inner_texts()
    assert len(names) == 10 and all(name.startswith("tool-08") for name in names)
    assert tab.locator("[data-panel=spend] [data-feature=chat]").count() == 0
    search.fill("")
    assert tab.locator("[data-panel=spend] [data-feature=chat]").count() == 1

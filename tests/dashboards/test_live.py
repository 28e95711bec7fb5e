"""The dashboard that follows a proxy."""

import json
import threading
import time
from types import SimpleNamespace

import httpx
import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from unpacked import unpacked_cells

import lectr_lab as lectr
from lectr_lab.dashboards import live as live_module
from lectr_lab.dashboards.live import LiveDashboard
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter


@pytest.fixture
def lab(tmp_path) -> LabFolder:
    return LabFolder.create(tmp_path / "lab")


@pytest.fixture
def live(lab):
    """A live dashboard of an empty lab."""
    shown = LiveDashboard(lab.root, title="Now")
    yield shown
    shown.close()


def requests(shown: LiveDashboard) -> int:
    """How many requests the browser was told of."""
    said = json.loads(shown.data)
    return sum(unpacked_cells(said)["cells"]["requests"] or [])


def wait_for(what, seconds: float = 20) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(0.02)
    return time.monotonic() - began


def is_quiet(shown: LiveDashboard) -> bool:
    """Nothing is told for longer than it takes to look again."""
    before = shown.data
    time.sleep(1.2)
    return shown.data == before


def test_what_is_written_is_shown(lab, live, event):
    """Without a cell being run again."""
    assert requests(live) == 0
    journal = JournalWriter(lab)

    for n in (1, 2):
        journal.append([event(n, {})])
        wait_for(lambda n=n: requests(live) == n)

    assert "live, updated" in json.loads(live.data)["live"]


def test_nothing_is_sent_when_nothing_happened(lab, live, event):
    """The browser is told of news only."""
    JournalWriter(lab).append([event(1, {})])
    wait_for(lambda: requests(live) == 1)
    wait_for(lambda: is_quiet(live))  # what is advised of them is told after them
    told = []
    live.observe(lambda change: told.append(change), "data")

    assert live.update() is False
    time.sleep(1.2)

    assert told == []


def test_it_stops_and_says_so(lab, live, event):
    """Its thread ends; what was shown stays."""
    JournalWriter(lab).append([event(1, {})])
    wait_for(lambda: requests(live) == 1)

    live.stop()
    live.stop()

    wait_for(lambda: not live._thread.is_alive())
    assert json.loads(live.data)["live"] == "no longer followed"
    assert requests(live) == 1


def test_closing_the_widget_ends_its_thread(lab):
    """As a kernel does that shuts its widgets down."""
    before = threading.active_count()
    shown = LiveDashboard(lab.root, title="Now")

    shown.close()

    wait_for(lambda: threading.active_count() <= before)


def test_what_no_browser_shows_is_not_read(lab, live, event):
    """From the last view's end to the next view's begin."""
    live._on_message(None, {"shown": 1}, None)
    live._on_message(None, {"shown": -1}, None)
    JournalWriter(lab).append([event(1, {})])
    time.sleep(2.2)
    assert requests(live) == 0

    live._on_message(None, {"shown": 1}, None)

    wait_for(lambda: requests(live) == 1)


def test_a_browser_that_asks_is_told_the_requests(lab, live, event):
    """Those of its selection, from the log as it is; a log that is gone is said."""
    JournalWriter(lab).append([event(1, {}), event(2, {"feature": "search"})])
    told = []
    live.send = told.append
    asked = {"ask": "rows", "of": 3, "selection": {"features": [["local", "search"]]}}

    live._on_message(None, asked, None)
    wait_for(lambda: told)
    assert (told[0]["of"], told[0]["n"]) == (3, 1)
    assert told[0]["rows"]["id"] == [(2).to_bytes(16, "big").hex()]

    lab.root.rename(lab.root.with_name("away"))
    live._on_message(None, asked, None)
    wait_for(lambda: len(told) == 2)
    assert "Select again" in told[1]["error"]


def test_what_happened_and_what_stands_beside_is_shown_too(lab, event, opened):
    """A note as a line, a sentence below the page as it was, what others found out; and
    that page has the requests, for it has no kernel to ask."""
    JournalWriter(lab).append([event(n, {}) for n in range(3)])
    at = event(1, {}).started_at
    shown = LiveDashboard(
        lab.root, notes=[(at, "deploy"), "Made up."], beside={"odd": []}
    )

    said = json.loads(shown.data)
    assert [mark["text"] for mark in said["marks"]] == ["deploy"] and said["odd"] == []
    wait_for(lambda: shown._rows)
    page = opened(shown._still()["text/html"]).frame_locator("iframe")
    shown.close()
    assert page.locator("[data-request]").count() == 3
    assert page.locator("svg line.mark").count() == 1
    assert "Made up." in page.locator("footer").inner_text()


def test_it_says_what_could_be_cheaper(lab, event):
    """From the first look on; a client's strings are escaped."""
    dear = {"feature": "<b>", "task": "classification", "model_actual": "gpt-4o"}
    JournalWriter(lab).append([event(n, dear) for n in range(9)])
    shown = LiveDashboard(lab.root, title="Now")

    wait_for(lambda: "gpt-4o-mini" in shown.recommended)

    assert "&lt;b&gt;" in shown.recommended and "<b>:" not in shown.recommended
    shown.close()


def test_a_place_without_widgets_shows_the_page_as_it_is_now(lab, event, opened):
    """An exported notebook, or an editor that draws HTML alone."""
    JournalWriter(lab).append([event(1, {"feature": "search"})])
    shown = LiveDashboard(lab.root, title="Now")

    [bundle, _] = shown._repr_mimebundle_()
    shown.close()

    assert "application/vnd.jupyter.widget-view+json" in bundle
    page = opened(bundle["text/html"]).frame_locator("iframe")
    assert page.locator(".figures dd").first.inner_text() == "1"
    assert page.locator(".live").count() == 0
    assert "run the cell" in page.locator("footer").inner_text()


CELL = """
import lectr_lab as lectr
live = lectr.dashboard({lab!r}, live=True)
live
"""


def test_an_exported_notebook_shows_the_page_and_asks_no_host(lab, event, opened):
    """As `nbconvert --execute` does it, which keeps every widget that it hears of."""
    JournalWriter(lab).append([event(1, {"feature": "search"})])
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(CELL.format(lab=str(lab.root)))]

    NotebookClient(notebook, timeout=60, store_widget_state=True).execute()
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)

    assert "widgets" not in notebook.metadata
    [bundle] = [o.data for o in notebook.cells[0].outputs if "data" in o]
    assert set(bundle) == {"text/html", "text/plain"}
    page = opened(html).frame_locator("iframe")
    assert page.locator(".figures dd").first.inner_text() == "1"


@pytest.mark.parametrize(
    ("msg_id", "metadata", "program"),
    [
        ("0f6d1c1e-4a8b-4e3f-9d50-0c1b7a3f2e11", {}, False),  # a browser's
        ("8dd9bcd6-12ab34cd5678ef9012345678_4242_7", {}, True),  # nbclient's
        ("8dd9bcd6-12ab34cd5678ef9012345678_4242_7", {"cellId": "a"}, False),
    ],
)
def test_a_cell_that_a_browser_sent_is_told_apart(
    msg_id, metadata, program, monkeypatch
):
    """By how Jupyter's own clients name their messages."""
    parent = {"header": {"msg_id": msg_id}, "metadata": metadata}
    shell = SimpleNamespace(kernel=True, get_parent=lambda: parent)
    monkeypatch.setattr(live_module, "get_ipython", lambda: shell)

    assert live_module.run_by_a_program() is program


def test_a_folder_that_is_removed_does_not_end_it(lab, live, event):
    """It waits for better days, as the journal does."""
    lab.root.rename(lab.root.with_name("away"))
    time.sleep(1.2)
    lab.root.with_name("away").rename(lab.root)
    JournalWriter(lab).append([event(1, {})])

    wait_for(lambda: requests(live) == 1)


def test_a_request_through_a_proxy_is_seen_soon(tmp_path, monkeypatch):
    """Two seconds on a quiet machine; the bound here is loose, for a busy one."""
    monkeypatch.chdir(tmp_path)
    with lectr.start(upstream="http://127.0.0.1:1/v1") as proxy:
        shown = lectr.dashboard(proxy, live=True)
        assert requests(shown) == 0
        headers = proxy.headers(feature="now")
        httpx.post(
            f"{proxy.base_url}/chat/completions", json={}, headers=headers,
            trust_env=False,
        )  # fmt: skip

        took_s = wait_for(lambda: requests(shown) == 1)

        assert took_s < 10
        assert "now" in shown.data
        page = shown.write(tmp_path / "now.html").read_text("utf-8")
        assert '"now"' in page
        shown.stop()


SHOWN = "said.filter(message => message.shown)"
HOST = """<!doctype html><meta charset="utf-8"><style>{css}</style><div id="el"></div>
<script>
const said = [], heard = new Map();
const model = {{ data: "", recommended: "", place: "held", get: name => model[name],
  send: m => said.push(m),
  on: (name, f) => heard.set(f, name), off: (_, f) => heard.delete(f),
  fire: name => heard.forEach((on, f) => on === name && f()),
  tell: data => {{ model.data = data; model.fire("change:data"); }} }};
</script>
<script>{esm}
const el = document.getElementById("el");
const close = widget.render({{ model, el }});
</script>"""


def test_the_widget_draws_what_it_is_told_and_keeps_what_is_selected(
    lab, live, event, opened
):
    """Two hundred times, and the page does not grow; its end leaves nothing.

    A kernel that is restarted follows nothing any more, and the widget says so.
    """
    esm = live._esm.replace("export default", "const widget =")
    tab = opened(HOST.format(css=live._css, esm=esm))
    journal = JournalWriter(lab)
    journal.append([event(0, {}), event(1, {"feature": "search"})])
    live.update()
    tab.evaluate("data => model.tell(data)", live.data)
    tab.locator("[data-panel=spend] button[data-feature=search]").click()
    first = "document.querySelector('.figures dd').textContent"
    assert tab.evaluate(first) == "1"
    nodes = tab.evaluate("document.querySelectorAll('*').length")

    journal.append([event(2, {"feature": "search"})])
    live.update()
    for _ in range(200):
        tab.evaluate("data => model.tell(data)", live.data)

    assert tab.evaluate(first) == "2"
    assert tab.evaluate("document.querySelectorAll('*').length") <= nodes + 20
    assert "live, updated" in tab.locator(".live").inner_text()
    told = [
        message["selected"] for message in tab.evaluate("said") if "selected" in message
    ]
    assert [one["features"] for one in told] == [[["local", "search"]]]
    tab.evaluate("model.fire('comm_live_update')")
    assert tab.locator("header .over").inner_text().strip() == "no longer followed"
    assert tab.evaluate(first) == "2"
    tab.evaluate("close()")
    assert tab.evaluate("[el.querySelectorAll('figure').length, heard.size]") == [0, 0]
    assert tab.evaluate(SHOWN) == [{"shown": 1}, {"shown": -1}]


def test_python_knows_what_is_selected_and_selects(lab, live, event, opened):
    """A click is in `selection`, and as many as the page says are in `rows`; what
    `select` is told is shown, until something else is clicked."""
    esm = live._esm.replace("export default", "const widget =")
    tab = opened(HOST.format(css=live._css, esm=esm))
    names = ["chat", "search", "search", None]
    JournalWriter(lab).append(
        [event(n, {"feature": name}) for n, name in enumerate(names)]
    )
    live.update()
    tab.evaluate("data => model.tell(data)", live.data)
    assert (live.selection, live.rows().collect().height) == ({}, 4)

    tab.locator("[data-panel=spend] button[data-feature=search]").click()
    live._on_message(None, tab.evaluate("said.at(-2)"), None)
    live._on_message(None, tab.evaluate("said.at(-1)"), None)
    assert live.selection == {"feature": ["search"]}
    count = tab.locator(".figures dd").first
    assert live.rows().collect().height == int(count.inner_text()) == 2

    assert live.select(feature="untagged", since="2026-11-02") is live
    select = "told => { model.selected = told; model.fire('change:selected'); }"
    tab.evaluate(select, live.selected)
    assert live.rows().collect().height == int(count.inner_text()) == 1
    assert live.selection["feature"] == ["untagged"]

    live._on_message(None, {"selected": {}}, None)
    assert (live.selected, live.selection) == ("", {})


LAB_OUTPUT = """<div id="box"><div class="jp-OutputArea-output" id="output">
<div class="held"><p>as it was</p></div></div></div>"""


def test_in_jupyterlab_the_widget_stands_in_the_place_of_the_page(
    lab, live, event, opened
):
    """A newer page neither shows nor moves it; where it ends, the page is there again.

    Python is told when the output is cleared, and when it is back.
    """
    esm = live._esm.replace("export default", "const widget =")
    host = HOST.format(css=live._css, esm=esm).replace(
        "widget.render({ model, el })", "widget.initialize({ model })"
    )
    tab = opened(
        host.replace('<div id="el"></div>', f'{LAB_OUTPUT}<div id="el"></div>')
    )
    JournalWriter(lab).append([event(0, {}), event(1, {"feature": "search"})])
    live.update()
    tab.evaluate("data => model.tell(data)", live.data)
    pages = tab.get_by_text("as it was")
    tab.locator("[data-panel=spend] button[data-feature=search]").click()
    drawn = "document.querySelector('.figures')"
    tab.evaluate(f"window.before = {drawn}; 0")

    assert pages.count() == 0
    newer = "<div class='held'><p>as it was later</p></div>"
    tab.evaluate("html => { output.innerHTML = html; }", newer)
    assert pages.count() == 0 and tab.evaluate(f"window.before === {drawn}")
    tab.evaluate("window.away = document.getElementById('box'); away.remove()")
    tab.evaluate("document.body.append(away)")
    assert tab.evaluate(SHOWN) == [{"shown": n} for n in (1, -1, 1)]
    tab.evaluate("close()")
    assert pages.inner_text() == "as it was later" and pages.is_visible()
    assert tab.evaluate("document.querySelectorAll('figure').length") == 0


def test_jupyterlab_is_told_apart(lab, live, monkeypatch):
    """By what it says of a cell; there the output can be kept up to date."""
    shown = []
    told = SimpleNamespace(update=lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(live_module, "display", lambda bundle, **_: told)
    asked: dict = {"metadata": {}}
    shell = SimpleNamespace(kernel=True, get_parent=lambda: asked)
    monkeypatch.setattr(live_module, "get_ipython", lambda: shell)
    with pytest.raises(NotImplementedError):
        live._ipython_display_()

    asked["metadata"] = {"deletedCells": [], "cellId": "a"}
    live._ipython_display_()
    live.stop()

    [page] = shown
    assert set(page) == {"text/html", "text/plain"} and live.place in page["text/html"]

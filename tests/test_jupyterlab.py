"""JupyterLab in a real browser that can reach nothing but this machine."""

import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import nbformat
import pytest

from lectr_lab.demo.made_up import events
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.journal import JournalWriter
from lectr_lab.resources import shipped_cassettes
from lectr_lab.tape.cassette import read_cassettes

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
MINUTE_MS = 60_000


@pytest.fixture
def chromium():
    """A page of Debian's Chromium; no name resolves there but the loopback's."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("needs chromium to look at JupyterLab")
    flags = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(
            executable_path=path, args=["--no-sandbox", *flags]
        )
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


@pytest.fixture
def start_jupyterlab(tmp_path):
    """Starts `lectr-lab lab` in an empty folder, a second time in the same one.

    Gives its address, with the token, and what ends it.
    """
    with contextlib.ExitStack() as running:
        yield lambda: jupyterlab_in(tmp_path, running)


@pytest.fixture
def jupyterlab(start_jupyterlab):
    """`lectr-lab lab` in an empty folder: its address, with the token."""
    return start_jupyterlab()[0]


def jupyterlab_in(tmp_path, running):
    """One JupyterLab, until `running` is left or it is ended before."""
    home = {name: str(tmp_path / name.lower()) for name in ("HOME", "IPYTHONDIR")}
    home |= {
        f"JUPYTER_{n}_DIR": str(tmp_path / n) for n in ("CONFIG", "RUNTIME", "DATA")
    }
    own = {n: v for n, v in os.environ.items() if not n.startswith("LECTR_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "lab", "--no-browser", "--port", "0"],
        cwd=tmp_path,
        env=own | home,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    found = (re.search(r"http://127\S+token=\w+", line) for line in process.stderr)
    url = next(match[0] for match in found if match)
    answers = httpx.HTTPTransport(retries=20)  # it prints its address before it listens
    with httpx.Client(transport=answers, trust_env=False) as client:
        client.get(url)

    def end():
        process.terminate()
        process.wait(30)
        process.stderr.close()

    running.callback(end)
    return url, end


@pytest.mark.slow
def test_start_here_runs_draws_and_follows_what_passes(chromium, jupyterlab, tmp_path):
    """Every cell, to the last chart; a request from outside appears by itself.

    No error in the console, and no host is asked but this one.
    """
    errors: list[str] = []
    asked: list[str] = []
    chromium.on("console", lambda m: errors.append(m.text) if m.type == "error" else 0)
    chromium.on("pageerror", lambda error: errors.append(str(error)))
    chromium.on("request", lambda request: asked.append(request.url))

    chromium.goto(jupyterlab)
    chromium.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=MINUTE_MS)
    chromium.get_by_role("menuitem", name="Run", exact=True).click()
    chromium.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    chromium.locator(".jp-RenderedHTML svg.marks").first.wait_for(timeout=2 * MINUTE_MS)
    picture(chromium, "jupyterlab-chart")
    count = chromium.locator(".lectr .figures dd").first
    count.wait_for(timeout=MINUTE_MS)
    before = int(count.inner_text())
    base_url = chromium.evaluate(READ_URL)
    send_from_outside(tmp_path / "lectr-notebooks" / "start-here", base_url)
    expect = importlib.import_module("playwright.sync_api").expect
    expect(count).to_have_text(str(before + 1), timeout=10_000)
    count.scroll_into_view_if_needed()
    picture(chromium, "jupyterlab-live")

    assert chromium.get_by_text("official Jupyter news").count() == 0
    hosts = {urlsplit(url).hostname for url in asked if url.startswith("http")}
    assert hosts == {"127.0.0.1"}
    assert not errors


FOLLOW = """
import lectr_lab as lectr
live = lectr.dashboard("followed", live=True)
live
"""
IDLE = re.compile(r"^Python 3.* \| Idle$")


@pytest.mark.slow
def test_a_notebook_that_is_opened_again_shows_the_page_as_it_was(
    chromium, start_jupyterlab, tmp_path
):
    """Run, saved, closed, JupyterLab started anew: no cell is run, no error shown.

    What came in after the cell was run is in it.
    """
    url, end = start_jupyterlab()
    folder = tmp_path / "lectr-notebooks"
    journal = JournalWriter(LabFolder.create(folder / "followed"))
    made = events(requests=50)[:3]
    made[2] = msgspec.structs.replace(made[2], feature="came-in-last")
    journal.append(made[:1])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FOLLOW)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "mine.ipynb")
    expect = importlib.import_module("playwright.sync_api").expect

    def opened(at: str):
        chromium.goto(re.sub(r"/lab[^?]*", "/lab/tree/mine.ipynb", at))
        chromium.get_by_text(IDLE).first.wait_for(timeout=MINUTE_MS)

    opened(url)
    chromium.get_by_role("menuitem", name="Run", exact=True).click()
    chromium.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    live = chromium.locator(".jp-OutputArea .lectr .figures dd").first
    expect(live).to_have_text("1", timeout=2 * MINUTE_MS)
    journal.append(made[1:])
    expect(live).to_have_text("3", timeout=MINUTE_MS)
    assert chromium.locator(".jp-OutputArea-output iframe").count() == 0
    wait_for(lambda: "came-in-last" in saved(chromium, folder / "mine.ipynb"))
    expect(live).to_have_text("3")
    chromium.goto("about:blank")
    end()

    opened(start_jupyterlab()[0])
    still = chromium.frame_locator(".jp-OutputArea-output iframe")
    expect(still.locator(".figures dd").first).to_have_text("3", timeout=MINUTE_MS)
    picture(chromium, "jupyterlab-opened-again")

    assert "run the cell" in still.locator("footer").inner_text()
    assert chromium.get_by_text("model not found").count() == 0


ASK = """
found = live.rows().select("feature").collect()
print("behind:", found.height, live.selection)
"""
CHOOSE = "live.select(feature='asked-for').selection"


@pytest.mark.slow
def test_what_is_clicked_is_there_in_a_cell_and_the_other_way_round(
    chromium, start_jupyterlab, tmp_path
):
    """A bar is clicked: the rows in a cell are as many as the page says. A cell selects:
    the page shows as many."""
    url, _ = start_jupyterlab()
    folder = tmp_path / "lectr-notebooks"
    made = events(requests=50)[:6]
    features = ["asked-for"] * 2 + ["clicked"] * 3 + ["neither"]
    JournalWriter(LabFolder.create(folder / "followed")).append(
        [
            msgspec.structs.replace(one, feature=feature, kind="request")
            for one, feature in zip(made, features, strict=True)
        ]
    )
    cells = [nbformat.v4.new_code_cell(text) for text in (ASK, CHOOSE, FOLLOW)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "mine.ipynb")
    expect = importlib.import_module("playwright.sync_api").expect

    def run_cell(number: int) -> None:
        chromium.locator(".jp-CodeCell .cm-content").nth(number).click()
        chromium.keyboard.press("Shift+Enter")

    chromium.goto(re.sub(r"/lab[^?]*", "/lab/tree/mine.ipynb", url))
    chromium.get_by_text(IDLE).first.wait_for(timeout=MINUTE_MS)
    run_cell(2)
    count = chromium.locator(".jp-OutputArea .lectr .figures dd").first
    expect(count).to_have_text("6", timeout=2 * MINUTE_MS)
    chromium.locator("[data-panel=spend] button[data-feature=clicked]").click()
    expect(count).to_have_text("3")
    run_cell(0)
    behind = chromium.get_by_text("behind: 3 {'feature': ['clicked']}")
    expect(behind).to_be_visible(timeout=MINUTE_MS)

    run_cell(1)
    expect(count).to_have_text("2", timeout=MINUTE_MS)
    run_cell(0)
    behind = chromium.get_by_text("behind: 2 {'feature': ['asked-for']}")
    expect(behind).to_be_visible(timeout=MINUTE_MS)


def saved(page, file: Path) -> str:
    """The file of a notebook that was just saved."""
    page.keyboard.press("Control+S")
    return file.read_text("utf-8")


def wait_for(what: Callable[[], bool]) -> None:
    """Until it holds: a minute on a quiet machine is plenty."""
    end_s = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(1)


# The handle of the proxy, wherever it was scrolled to: an output's own text.
READ_URL = """() => [...document.querySelectorAll('.jp-OutputArea-output td')]
    .map(cell => cell.textContent).find(text => text.startsWith('http'))"""


def picture(page, name: str) -> None:
    """A screenshot that CI keeps."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")


def send_from_outside(lab: Path, base_url: str) -> None:
    """A recorded request, sent by a program that the notebook did not start."""
    made = subprocess.run(
        [sys.executable, "-m", "lectr_lab.cli", "keys", "create", "outsider"],
        env=os.environ | {"LECTR_LAB": str(lab)},
        capture_output=True,
        check=True,
        text=True,
    )
    key = re.search(r"lc_key_\S+", made.stdout)
    recorded = read_cassettes(shipped_cassettes() / "llama")
    one = next(one for one in recorded if one.status == 200)
    reply = httpx.post(
        f"{base_url}/chat/completions",
        content=one.request_body,
        headers={"X-Lectr-Key": key[0], "X-Lectr-Feature": "from-outside"},
        trust_env=False,
    )
    assert reply.status_code == 200

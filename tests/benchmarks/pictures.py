"""Makes the README's pictures anew: `python tests/benchmarks/pictures.py data/pictures`.

The page of four weeks of made-up traffic, as `lectr-lab demo` writes it, and the live
dashboard of the same traffic in JupyterLab. It needs Debian's chromium and Playwright.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import sync_playwright

import lectr_lab as lectr
from lectr_lab.dashboards import write_page
from lectr_lab.demo.run import FOUR_WEEKS, FOUR_WEEKS_TITLE
from lectr_lab.resources import shipped_traffic

WIDTH, PAGE_HEIGHT, LAB_HEIGHT = 1280, 1030, 900
WAIT_MS = 180_000
FOLLOW = """import lectr_lab as lectr

lectr.dashboard("lab", live=True)"""


def of_page(browser: Any, file: Path) -> None:
    """The top of the page, in light colours."""
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        write_page(lectr.demo_log(), page, title=FOUR_WEEKS_TITLE, notes=FOUR_WEEKS)
        size = {"width": WIDTH, "height": PAGE_HEIGHT}
        tab = browser.new_page(viewport=size, color_scheme="light")
        tab.goto(page.as_uri())
        tab.locator("figure").first.wait_for()
        tab.screenshot(path=file)
        tab.close()


def of_jupyterlab(browser: Any, file: Path) -> None:
    """A notebook of one cell, run; no file browser beside it."""
    size = {"width": WIDTH, "height": LAB_HEIGHT}
    with _jupyterlab() as url:
        tab = browser.new_page(viewport=size, color_scheme="light")
        tab.goto(re.sub(r"/lab[^?]*", "/lab/tree/what-it-costs.ipynb", url))
        tab.get_by_text(re.compile(r"^Python 3.* \| Idle$")).first.wait_for(
            timeout=WAIT_MS
        )
        tab.keyboard.press("Control+B")
        tab.get_by_role("menuitem", name="Run", exact=True).click()
        tab.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        tab.locator(".lectr figure").nth(3).wait_for(timeout=WAIT_MS)
        tab.mouse.move(WIDTH - 1, LAB_HEIGHT - 1)
        tab.wait_for_timeout(2_000)  # menus and shadows fade
        tab.screenshot(path=file)
        tab.close()


@contextlib.contextmanager
def _jupyterlab() -> Iterator[str]:
    """`lectr-lab lab` in a folder of its own: its address, with the token."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        shutil.copytree(shipped_traffic(), work / "notebooks" / "lab")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FOLLOW)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, work / "notebooks" / "what-it-costs.ipynb")
        command = [sys.executable, "-m", "lectr_lab.cli", "lab", "--no-browser"]
        own = {n: v for n, v in os.environ.items() if not n.startswith("LECTR_")}
        with subprocess.Popen(
            [*command, "--port", "0", "--notebooks", "notebooks"],
            cwd=work,
            env=own | {"HOME": scratch, "JUPYTER_RUNTIME_DIR": f"{scratch}/runtime"},
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stderr is not None
            found = (
                re.search(r"http://127\S+token=\w+", line) for line in server.stderr
            )
            yield next(match[0] for match in found if match)
            server.terminate()


def main(folder: Path) -> None:
    """Both, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        of_page(browser, folder / "demo.png")
        of_jupyterlab(browser, folder / "jupyterlab.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

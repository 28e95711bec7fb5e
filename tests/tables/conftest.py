"""A browser that can reach nothing, and tables in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for which every host name resolves to nothing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("needs chromium to click on a table")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """What a cell shows, on a page; it may neither complain nor ask for anything."""
    tabs, complaints = [], []

    def open_page(html: str, width: int = 900, **options: Any) -> Any:
        file = tmp_path / f"{len(tabs)}.html"
        head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>cell'
        style = "</title><style>:root { color-scheme: light dark }</style></head><body>"
        file.write_text(f"{head}{style}{html}</body></html>", "utf-8")
        tab = browser.new_page(viewport={"width": width, "height": 700}, **options)
        tabs.append(tab)
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: complaints.append(asked.url)
               if asked.url.startswith("http") else None)  # fmt: skip
        tab.set_default_timeout(20_000)
        tab.goto(file.as_uri())
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
    assert complaints == []

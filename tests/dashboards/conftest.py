"""A small log to arrange."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.core.event import Event
from lectr_lab.log.schema import frame

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def log() -> Callable[..., pl.LazyFrame]:
    """A priced log: one request an hour for each set of fields."""

    def of(*requests: dict[str, Any]) -> pl.LazyFrame:
        events = [_event(i, fields) for i, fields in enumerate(requests)]
        return priced(frame(events).lazy())

    return of


@pytest.fixture(scope="session")
def event() -> Callable[[int, dict[str, Any]], Event]:
    """One event: its number is its hour and its identity."""
    return _event


def _event(i: int, fields: dict[str, Any]) -> Event:
    defaults: dict[str, Any] = {
        "event_id": i.to_bytes(16, "big"),
        "started_at": START + timedelta(hours=i),
        "org": "local",
        "feature": "chat",
        "path": "/v1/chat/completions",
        "operation": "chat",
        "outcome": "ok",
        "total_ms": 800.0 + i,
        "ttft_ms": 200.0,
        "provider": "openai",
        "model_actual": "gpt-4o-mini",
        "input_tokens": 1000,
        "output_tokens": 500,
        "token_source": "provider",
    }
    return Event(**(defaults | fields))


# Not of the session: its event loop runs until it is closed, and a test that comes
# between two files of this folder may want one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium for which every host name but this machine's own resolves to nothing."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("needs chromium to click on a page")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND,EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page's HTML, opened; it must not complain, and must not ask for anything."""
    tabs, complaints = [], []

    def open_page(html: str, width: int = 1200, **options: Any) -> Any:
        file = tmp_path / f"{len(tabs)}.html"
        file.write_text(html, "utf-8")
        tab = browser.new_page(viewport={"width": width, "height": 900}, **options)
        tabs.append(tab)
        tab.on("console", lambda said: complaints.append(said.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda asked: complaints.append(asked.url)
               if asked.url != file.as_uri() else None)  # fmt: skip
        tab.goto(file.as_uri())
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
    assert complaints == []

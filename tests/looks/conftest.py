"""A browser, and what can be read from what it drew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LAW = (Path(__file__).parent / "law.js").read_text("utf-8")
ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "looks"


@pytest.fixture
def faults(browser: Any) -> Callable[..., list[str]]:
    """What is cut or stands upon another on a page of this width; its picture is kept."""

    def of(html: str, width: int, name: str, *, dark: bool = False) -> list[str]:
        scheme = "dark" if dark else "light"
        tab = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        tab.set_content(html)
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
        found: list[str] = tab.evaluate(LAW)
        tab.close()
        return found

    return of

"""Tables in a browser that can reach nothing."""

from collections.abc import Callable
from typing import Any

import pytest

HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>cell</title>'
    "<style>:root { color-scheme: light dark }</style></head><body>"
)


@pytest.fixture
def opened(opened: Callable[..., Any]) -> Callable[..., Any]:
    """What a cell shows, on a page; what it makes itself, such as a file, it may open."""

    def open_cell(html: str, width: int = 900, **options: Any) -> Any:
        page = f"{HEAD}{html}</body></html>"
        return opened(page, width, 700, allowed=("blob:", "data:"), **options)

    return open_cell

"""The script of a dashboard, made of small files."""

from importlib.resources import files

import pytest

from lectr_lab.dashboards.script import PARTS, asset, script


def test_every_file_is_a_part_once():
    """None is forgotten, none is missing."""
    there = {
        file.name for file in files("lectr_lab.dashboards").joinpath("js").iterdir()
    }

    assert there == {f"{part}.js" for part in PARTS} and len(PARTS) == len(set(PARTS))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_small_and_makes_no_html_of_text(part):
    """What a client sent could be in it; and nothing is fetched, run or remembered."""
    text = asset(f"js/{part}.js")

    assert len(text.splitlines()) <= 260
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(",
                 "fetch(", "XMLHttpRequest", "WebSocket", "sendBeacon", "import(",
                 "localStorage", "sessionStorage", "document.cookie"):  # fmt: skip
        assert word not in text


@pytest.mark.parametrize("door", ["page.js", "live.js", "served.js"])
def test_all_names_stay_inside_one(door):
    """So that a notebook's own are not touched."""
    text = script(door)

    assert text.startswith("const lectr = (() => {") and asset(door) in text

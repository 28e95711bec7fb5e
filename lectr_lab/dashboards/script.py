"""The script that draws a dashboard: small files, one after another, in one function.

There is no bundler: a page holds them as they stand in `js/`.
"""

from importlib.resources import files

PARTS = (
    *("words", "statistics", "packed", "elements", "zones", "selection", "cube"),
    *("rows", "figures", "time_chart", "money", "health", "usage", "notices"),
    *("controls", "requests", "tooltips", "pictures", "exports", "dashboard"),
)
"""In the order in which they are read; all share one scope."""


def script(*doors: str) -> str:
    """The whole script, with what opens it: `page.js`, or those of the widget.

    >>> script("page.js").startswith("const lectr = (() => {")
    True
    """
    parts = "".join(asset(f"js/{part}.js") for part in PARTS)
    opened = "".join(map(asset, doors))
    return f"const lectr = (() => {{\n{parts}\nreturn lectrParts;\n}})();\n{opened}"


def asset(file: str) -> str:
    """The text of a script or style of this package."""
    return files("lectr_lab.dashboards").joinpath(file).read_text("utf-8")

"""What all charts share: colours, axes, names, and the text beside a mark."""

import re
from collections.abc import Callable, Iterable
from math import ceil
from typing import Any, TypeVar
from zlib import crc32

import altair as alt
import polars as pl
import vl_convert

from lectr_lab.charts.measured import widest_px, wrapped
from lectr_lab.core.errors import LabError
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.formatting import NO_MATH, UNKNOWN, count, name, names
from lectr_lab.others import with_others

BLUE, ORANGE, GREEN, SKY = "#0072B2", "#E69F00", "#009E73", "#56B4E9"
VERMILLION, PINK = "#D55E00", "#CC79A7"
GREY, INK, SOFT, LINE = "#666E78", "#1F2328", "#57606A", "#D0D7DE"
GRID, REST, EDGE = "#EEF1F4", "#EAEEF2", "#8F9194"

OTHERS = "all others"
NAME_LETTERS = 28
MOST_GROUPS = 50
CELL_PX = 760  # of a chart with its names, in a notebook's cell
LEAST_PX = 260  # of what is drawn, beside long names
_LEGIBLE_PX = (
    600  # in a narrower place a chart is moved sideways: its words stay legible
)
_ROW_PX = 22
_ERROR_LETTERS = 120
NAME_PX, LABEL_PX, TITLE_PX, SUBTITLE_PX = 12, 11, 15, 12  # sizes of letters
LABEL_GAP_PX = 8
_EDGES_PX = 28  # left and right of it all
_SYMBOL_PX = 30  # a legend's square, with the room beside it
_SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILLION)

TEXT: dict[str, Any] = {"align": "left", "dx": 8, "color": SOFT, "fontSize": LABEL_PX}
UNKEYED: dict[str, Any] = {"labelExpr": "slice(datum.label, 1)"}
EDGED: dict[str, Any] = {"stroke": EDGE, "strokeWidth": 0.6}  # seen on any ground
BAR: dict[str, Any] = {"height": {"band": 0.6}, **EDGED}
NAME_AXIS: dict[str, Any] = {
    "labelLimit": 0,
    "labelColor": INK,
    "labelFontSize": NAME_PX,
    "ticks": False,
    "domain": False,
    "grid": False,
    "labelPadding": LABEL_GAP_PX,
}

_AXIS: dict[str, Any] = {
    "domain": False,
    "ticks": False,
    "gridColor": GRID,
    "labelPadding": 6,
    "labelColor": SOFT,
    "labelFontSize": LABEL_PX,
    "labelLimit": 0,
    "titleColor": SOFT,
}

# A browser's letters may be wider than those that Vega measures.
PADDING = {"left": 6, "right": 14, "top": 5, "bottom": 6}

Row = dict[str, Any]
_Picture = TypeVar("_Picture")


def finished(view: pl.DataFrame | pl.LazyFrame, made_by: str) -> pl.DataFrame:
    """A view's rows.

    Raises:
        LabError: it is no view, but a log, say.
    """
    found = view.lazy().collect()
    if "requests" not in found.columns:
        raise LabError(f"This chart takes what `{made_by}(log)` gives, not a log.")
    return found


def labelled(
    view: pl.DataFrame, text: Callable[[Row], str], *, others: bool = False
) -> pl.DataFrame:
    """The first groups of a view with `text`, which stands beside each, and its names:
    `label`, `short`, and `key`, which Vega draws by (`keyed`). With `others` all others
    are one more: where what is drawn is known of them together.

    Views put their keys before `requests`; an org that all rows share is left out.
    """
    keys = keys_of(view)
    shown = with_others(view, MOST_GROUPS) if others else view.head(MOST_GROUPS)
    words = [" · ".join(map(key_text, row)) for row in shown.select(keys).iter_rows()]
    words[MOST_GROUPS:] = shown[keys[-1]][MOST_GROUPS:].to_list()
    short = names(words, NAME_LETTERS)
    labels = {"label": names(words), "short": short, "key": keyed(short)}
    columns = [pl.Series(name, words, pl.String) for name, words in labels.items()]
    # Vega does not take every type of a key, and `label` has it in words.
    drawn = shown.drop(key for key in keys if shown.schema[key] != pl.String)
    return drawn.with_columns(*columns, texts(shown, text))


def keys_of(view: pl.DataFrame) -> list[str]:
    """The names of a view's keys, which stand before `requests`; an org that all rows
    share is left out."""
    keys = view.columns[: view.columns.index("requests")]
    if len(keys) > 1 and "org" in keys and view["org"].n_unique() <= 1:
        keys.remove("org")
    return keys


def whose(view: pl.DataFrame) -> str:
    """What the groups of a view are, such as `feature`, or `client · agent`."""
    return " · ".join(key.replace("_", " ") for key in keys_of(view))


def key_text(key: object) -> str:
    """A key of a view in a word."""
    if isinstance(key, bytes):
        return key.hex()
    return UNKNOWN if key is None else str(key)


def keyed(labels: list[str]) -> list[str]:
    """Labels as the values of a scale, which takes a word such as `constructor` for one
    of JavaScript's own. `UNKEYED` shows them as they are."""
    return [f" {label}" for label in labels]


def texts(view: pl.DataFrame, text: Callable[[Row], str]) -> pl.Series:
    """A column `text`, written row by row."""
    words = [text(row) for row in view.iter_rows(named=True)]
    return pl.Series("text", words, pl.String)


def first_row(view: pl.DataFrame) -> Row | None:
    """The top row, where there is one."""
    return None if view.is_empty() else view.row(0, named=True)


def subtitle(words: str, groups: pl.DataFrame) -> str:
    """What is shown, and of how many groups, where that is not all of them."""
    if len(groups) <= MOST_GROUPS:
        return words
    return f"{words} · the first {MOST_GROUPS} of {count(len(groups))}"


def bar_colours(view: pl.DataFrame) -> pl.Series:
    """A column `colour`: grey for what has no feature, faint for all others."""
    features = view["feature"] if "feature" in view.columns else [None] * len(view)
    colours = [GREY if feature == UNTAGGED else BLUE for feature in features]
    colours[MOST_GROUPS:] = [REST] * len(colours[MOST_GROUPS:])
    return pl.Series("colour", colours, pl.String)


def series_colours(features: list[str]) -> list[str]:
    """A colour for each; greys for what has no name of its own."""
    fresh = iter(_SERIES * (1 + len(features) // len(_SERIES)))
    plain = {UNTAGGED: GREY, OTHERS: LINE}
    return [plain[f] if f in plain else next(fresh) for f in features]


def smallest(view: pl.DataFrame, column: str) -> float:
    """The least number of a column; 0 where there is none."""
    return min((n for n in view[column] if n is not None), default=0.0)


def largest(view: pl.DataFrame, column: str) -> float:
    """The greatest number of a column; 0 where there is none."""
    return max((n for n in view[column] if n is not None), default=0.0)


def names_on_y(shown: pl.DataFrame) -> alt.Y:
    """Groups from top to bottom, in the order of the frame."""
    keys = shown["key"].to_list()
    axis = NAME_AXIS | UNKEYED | {"minExtent": names_px(shown)}
    return alt.Y("key").title(None).sort(keys).axis(**axis)


def names_px(shown: pl.DataFrame) -> int:
    """Pixels that the names beside the marks take."""
    words = (key[1:] for key in shown["key"])
    return ceil(widest_px(words, NAME_PX)) + LABEL_GAP_PX


def plot_px(beside_px: float) -> int:
    """Pixels that are left for what is drawn, in a cell."""
    return max(int(CELL_PX - beside_px) - _EDGES_PX, LEAST_PX)


def room(shown: pl.DataFrame) -> float:
    """How much wider than the longest mark a chart is, so that the texts fit in."""
    takes = widest_px(shown["text"], LABEL_PX) + 12
    part = 1 - takes / plot_px(names_px(shown))
    return 1 / min(max(part, 0.1), 0.85)


def length(column: str, longest: float, room: float) -> alt.X:
    """Bars from zero, with room for the text beside the longest."""
    domain = [0, (longest or 1) * room]
    return alt.X(column).scale(domain=domain, nice=False).axis(None)


def tip(column: str, title: str, form: str | None = None) -> alt.Tooltip:
    """What is shown when the pointer rests on a mark."""
    shown = alt.Tooltip(column).title(title)
    return shown if form is None else shown.format(form)


def quiet(**changes: Any) -> dict[str, Any]:
    """An axis that stays in the background."""
    return _AXIS | {"title": None} | changes


def legend(labels: Iterable[str], px: float = CELL_PX) -> dict[str, Any]:
    """A legend above the chart, for marks that are too small to be named; in so many
    columns as fit in."""
    widest = widest_px(labels, LABEL_PX)
    columns = max(int(px / (widest + _SYMBOL_PX)), 1)
    plain = {"orient": "top", "columns": columns, "title": None, "offset": 8}
    plain |= {"symbolType": "square", "symbolLimit": 0}  # all of them
    # A browser's letters may be wider than Vega's, by a quarter.
    plain |= {"columnPadding": 10 + ceil(widest / 4), "labelFontSize": LABEL_PX}
    return plain | {"labelColor": INK, "labelLimit": 0}


def height(rows: int) -> int:
    """Pixels for so many bars; a number, for a step cannot fill its container."""
    return max(rows, 1) * _ROW_PX


class Drawing(alt.LayerChart):
    """A chart that shows itself as a picture in a cell: Altair's own way needs a CDN."""

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        text = self.title.text
        title = text if isinstance(text, str) else " ".join(text)
        return bundle(self.properties(padding=PADDING), title)


def bundle(chart: alt.TopLevelMixin, title: str) -> dict[str, str]:
    """What a cell shows of a chart: a picture, in the colours of the text around."""
    try:
        svg = rendered(vl_convert.vegalite_to_svg, chart.configure_axis(**_AXIS))
    except LabError as error:
        return {"text/plain": str(error)}
    drawn = _in_the_cells_ink(svg).replace("<svg ", f'<svg style="{_fits(svg)}" ', 1)
    html = f'<div class="{NO_MATH}" style="overflow-x:auto">{drawn}</div>'
    plain = f"<chart: {title}>"
    return {"text/html": html, "image/svg+xml": svg, "text/plain": plain}


def _fits(svg: str) -> str:
    """In a narrow cell a picture becomes smaller, while its words are legible; nowhere
    larger than it is."""
    [width] = re.findall(r'<svg[^>]* width="(\d+)', svg)
    least = min(int(width), _LEGIBLE_PX)
    return f"max-width:100%;min-width:{least}px;height:auto"


def rendered(
    render: Callable[..., _Picture], chart: alt.TopLevelMixin, **options: Any
) -> _Picture:
    """A chart as a function of vl-convert draws it.

    Raises:
        LabError: it has more rows than Altair takes, or Vega cannot draw it.
    """
    try:
        return render(chart.to_json(), **options)
    except alt.MaxRowsError:
        advice = "This chart has too many marks. Take a longer step, or fewer rows."
    except ValueError as error:
        first, _, _ = str(error).partition("\n")
        advice = (
            f"This chart cannot be drawn: {name(first, _ERROR_LETTERS)}. The page of charts "
            "is drawn in another way: `lectr-lab report --html`. Please report this."
        )
    raise LabError(advice)


def _in_the_cells_ink(svg: str) -> str:
    """Texts and lines in the colour of the text around, so that a dark theme has it."""
    inks = {INK: 1.0, SOFT: 0.8, EDGE: 0.55, LINE: 0.3, GRID: 0.15, REST: 0.15}
    for ink, opacity in inks.items():
        for part in ("fill", "stroke"):
            own = f'{part}="currentColor" {part}-opacity="{opacity}"'
            svg = svg.replace(f'{part}="{ink}"', own)
    svg = svg.replace('fill="white"', 'fill="none"', 1)  # the ground
    # Two charts of a page share its names.
    return re.sub(r'((?<=id=")|(?<=url\(#))clip', f"clip{crc32(svg.encode())}-", svg)


def head(title: str, subtitle: str | list[str], px: float = CELL_PX) -> alt.TitleParams:
    """What was found, and below it in a softer voice what is shown, in lines of so many
    pixels."""
    own = wrapped(title, px, TITLE_PX, bold=True)
    said = [subtitle] if isinstance(subtitle, str) else subtitle
    below = [part for line in said for part in wrapped(line, px, SUBTITLE_PX)]
    return alt.TitleParams(
        own if len(own) > 1 else title,
        subtitle=below if len(below) > 1 or not isinstance(subtitle, str) else subtitle,
        anchor="start",
        frame="bounds",
        fontSize=TITLE_PX,
        subtitleFontSize=SUBTITLE_PX,
        color=INK,
        subtitleColor=SOFT,
        offset=14,
    )


def titled(
    title: str,
    subtitle: str,
    height: int,
    *layers: alt.Chart,
    width: int = CELL_PX - 2 * _EDGES_PX,
) -> Drawing:
    """Charts of your own in the manner of the others: a picture that needs no script.

    Args:
        title: what was found.
        subtitle: what is shown, in a softer voice.
        height: in pixels.
        layers: Altair's charts, one upon the other.
        width: in pixels, without the labels.

    >>> rows = pl.DataFrame({"day": [1, 2], "calls": [3, 5]})
    >>> titled("More each day", "calls", 200, alt.Chart(rows).mark_bar()).title.text
    'More each day'
    """
    chart = Drawing(layer=list(layers))
    return chart.properties(
        title=head(title, subtitle),
        height=height,
        width=width,
        view=alt.ViewBackground(stroke=None),
    )


def beside(title: str, words: str, shown: pl.DataFrame, *layers: alt.Chart) -> Drawing:
    """Marks with names at their left, as `titled` draws them in what is left of a cell."""
    rows, width = height(len(shown)), plot_px(names_px(shown))
    return titled(title, words, rows, *layers, width=width)

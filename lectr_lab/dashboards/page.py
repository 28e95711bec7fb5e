"""The dashboard as one HTML file that opens with the network cut.

Everything a client sent is escaped for the place it stands in: HTML text, a script
block, a TOML snippet. The page's own policy forbids it to load or send anything, and
to run any script but its own two.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import polars as pl

from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.recommend import recommend
from lectr_lab.analysis.recommend.result import Recommendations
from lectr_lab.analysis.views import cube, data_gaps, summary
from lectr_lab.analysis.views.collected import collected
from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.core.formatting import count
from lectr_lab.core.pricing.price import PriceList
from lectr_lab.dashboards import sections
from lectr_lab.dashboards.counted import Counted, count_log
from lectr_lab.dashboards.foretold import foretold
from lectr_lab.dashboards.marks import Note, marks
from lectr_lab.dashboards.payload import TITLE, Head, payload
from lectr_lab.dashboards.recent import at_hand, recent
from lectr_lab.dashboards.rows_behind import carried
from lectr_lab.dashboards.runs import runs
from lectr_lab.dashboards.script import asset, script
from lectr_lab.log.frames import Unread
from lectr_lab.log.losses import Losses
from lectr_lab.tables import with_one_script

_UNPRICED = 12
_ALL_READ = Unread()
_WHOLE = '<h2 class="whole">Of the whole log, whatever is selected above</h2>'


def page(
    log: AnyLog,
    *,
    title: str = TITLE,
    notes: Sequence[str | Note] = (),
    dropped: int = 0,
    unread: Unread = _ALL_READ,
    tz: str = "UTC",
    recommended: Recommendations | None = None,
    by: str = "feature",
    prices: PriceList = (),
    budgets: Sequence[BudgetSettings] = (),
    beside: Mapping[str, Any] | None = None,
) -> str:
    """A log as one self-contained HTML page, whose charts filter each other.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        title: the heading.
        notes: what a reader should know of the data, a sentence each; and what happened
            when, as `(datetime(2026, 11, 2, 9), "deploy")`: a line on the time chart.
        dropped: events that could not be written; the page says they are missing.
        unread: batches of the journal that could not be read; it says that, too.
        tz: the time zone in which days begin.
        recommended: what could be cheaper; without it, what `recommend` says of the log
            at public prices.
        by: another column of the log in the place of the features, such as "client",
            "session" or "user".
        prices: the user's own, of which the time chart says when they changed.
        budgets: of the whole log: when is each reached?
        beside: what else the page shows: `odd`, `budgets`, ready for JSON.

    Returns:
        HTML of about 1 MB at most, whatever the log, which loads nothing from anywhere.

    >>> from lectr_lab.analysis.pricing.priced import priced
    >>> from lectr_lab.log.schema import frame
    >>> "<title>Ours</title>" in page(priced(frame([]).lazy()), title="Ours")
    True
    """
    advice = recommend(log) if recommended is None else recommended
    counted = count_log(log, tz, by)
    known = log if counted.log is None else counted.log
    shown = known if by == "feature" else cube.needed(log.lazy(), by)
    by_feature, unpriced, silent = (
        collected(one)
        for one in (
            _by_feature(shown, counted),
            data_gaps.unpriced_models(known).head(_UNPRICED),
            data_gaps.streams_without_usage(shown),
        )
    )
    counted = counted._replace(log=None)  # what was at hand is no more asked for
    del known, shown
    some = at_hand(recent(log, many=counted.many), by)
    body = [
        sections.usage_advice(silent),
        sections.recommendations(advice),
        sections.table(by_feature, by),
        runs(some.rows, some.said),
        sections.price_help(unpriced),
    ]
    said = [note for note in notes if isinstance(note, str)]
    when = [note for note in notes if not isinstance(note, str)]
    body.append(sections.notes(said))
    more = {
        "marks": marks(log, counted, when, tz=tz, prices=prices),
        "rows": carried(cube.named(some.rows, by), counted.leaders, some.said),
        **foretold(log, tz, budgets),
        **(beside or {}),
    }
    head = Head(title, tz, Losses(dropped, unread), by=by)
    return drawn(title, payload(counted, head, more), body)


def _by_feature(log: AnyLog, counted: Counted) -> pl.LazyFrame:
    """Exact figures of the dearest features, and of all others in one row at the end;
    shares are of everything."""
    keys, ranked = ["org", "feature"], counted.ranked
    n_others = ranked.n_unique(keys) - sections.TABLE_ROWS
    if n_others <= 0:
        return summary.summary(log)
    dearest = cube.leading(ranked.lazy(), keys, sections.TABLE_ROWS)
    leads = dearest.with_columns(pl.lit(True).alias("_leads")).collect().lazy()
    orgs = ranked["org"].unique().to_list()
    whose = orgs[0] if len(orgs) == 1 else None
    others = {"org": whose, "feature": f"all others ({count(n_others)})"}

    def named(some: pl.LazyFrame) -> pl.LazyFrame:
        told = some.join(leads, on=keys, how="left", nulls_equal=True)
        return told.with_columns(
            pl.when("_leads").then(key).otherwise(pl.lit(name, pl.String)).alias(key)
            for key, name in others.items()
        ).drop("_leads")

    last, first = pl.col("feature") == others["feature"], ("spend_usd", "requests")
    found = summary.renamed_summary(log, named)
    return found.sort(
        last,
        *(*first, *keys),
        descending=[False, True, True, False, False],
        nulls_last=True,
    )


def drawn(
    title: str,
    data: str,
    body: Sequence[str] = (),
    *,
    door: str = "page.js",
    asks: str = "",
) -> str:
    """The page of a finished payload, with sections of escaped HTML below its charts.

    `door` is the script that opens it, and `asks` whom that may ask, as a policy says.
    """
    template = Template(asset("page.html"))
    below = [section for section in body if section]
    if any("<section" in section or "advice" in section for section in below):
        below.insert(0, _WHOLE)
    code = script("address.js", door)
    tables, of_tables = with_one_script("\n".join(below))
    if of_tables:
        tables += f"<script>{of_tables}</script>"
    return template.substitute(
        title=escape(title),
        css=asset("dashboard.css"),
        body=tables,
        data=_in_script(data),
        script=code,
        scripts=" ".join(_hash(one) for one in (code, of_tables) if one),
        asks=f"; connect-src {asks}" if asks else "",
    )


def _hash(script: str) -> str:
    """What a policy allows a script by."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def framed(page: str) -> str:
    """A page as part of another, or of a cell: neither styles the other."""
    inside = escape(page, quote=True)
    return (
        f'<iframe srcdoc="{inside}" style="width:100%;height:900px;border:0"></iframe>'
    )


def write_page(log: AnyLog, path: Path | str, **options: Any) -> Path:
    """Write `page(log, …)` to a file, and say where it is.

    Raises:
        OSError: the file cannot be written.
    """
    file = Path(path)
    file.write_text(page(log, **options), "utf-8")
    return file


def _in_script(json: str) -> str:
    """JSON that can stand in a script element, whatever strings are in it."""
    return json.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")

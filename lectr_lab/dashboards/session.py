"""The door to one run of an agent, or to several beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import vl_convert

from lectr_lab.analysis.given_log import Log, as_log
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.inferred_sessions import PREFIX, with_inferred
from lectr_lab.analysis.views.turns import found, turns
from lectr_lab.charts import style
from lectr_lab.charts.session import WIDTH_PX, Stacked, session_turns
from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import duration, name
from lectr_lab.tables import Table

_SHOWN = [
    *("request", "started_at", "lane", "model", "cost_usd", "spent_usd"),
    *("cache_read_tokens", "cache_write_tokens", "fresh_input_tokens"),
    *("output_tokens", "total_ms", "pause_ms", "outcome"),
]
_WHOSE = ["feature", "client"]


class Run:
    """The requests of one session, or of several: shows itself as a picture and a table.

    `frame` is the data, a row per request with the name of its session first.
    """

    def __init__(self, parts: Sequence[pl.DataFrame], titles: Sequence[str]) -> None:
        self._parts, self._titles = parts, titles
        self.frame: pl.DataFrame = pl.concat(parts)

    def chart(self, width: int = WIDTH_PX) -> Stacked:
        """The picture, to change or to save with Altair; the width in pixels."""
        return session_turns(*self._parts, titles=self._titles, width=width)

    def png(self, width: int = WIDTH_PX) -> bytes:
        """The picture as a PNG, twice as many pixels wide as asked for."""
        white = {"background": "white"}
        chart = self.chart(width).properties(padding=16)
        return style.rendered(vl_convert.vegalite_to_png, chart, scale=2, config=white)

    def write(self, path: str | Path, width: int = WIDTH_PX) -> Path:
        """Write the picture to a file, as a PNG.

        Raises:
            LabError: the file cannot be written.
        """
        file = Path(path)
        try:
            file.write_bytes(self.png(width))
        except OSError as error:
            raise LabError(f"{file} cannot be written: {error.strerror}.") from None
        return file

    def tables(self) -> list[Table]:
        """A table of each session's requests."""
        return [
            Table(_short(part), title)
            for part, title in zip(self._parts, self._titles, strict=True)
        ]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        tables = "".join(table._repr_html_() for table in self.tables())
        picture = self.chart()._repr_mimebundle_().get("text/html", "")
        return {"text/html": f"{picture}{tables}", "text/plain": repr(self)}

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.tables()))


def _short(part: pl.DataFrame) -> pl.DataFrame:
    """What a reader looks at; the model where there are several."""
    failed = pl.when("failed").then(pl.coalesce("error_type", "outcome"))
    shown = part.with_columns(outcome=failed.otherwise("outcome")).select(_SHOWN)
    plain = [column for column in ("lane", "model") if shown[column].n_unique() == 1]
    return shown.drop(plain)


def session(log: Log, *ids: str, org: str | None = None) -> Run:
    """One run of an agent, or one conversation: each request with its tokens and dollars,
    who asked, what failed, and where the conversation was compacted.

    Args:
        log: events with `cost_usd`, as `scan` gives them.
        ids: the session, or the beginning of its id; several are drawn one below the
            other on one scale. Those of `sessions(log, infer_sessions=True)` begin with
            `inferred-`.
        org: whose it is, where several orgs have a session of that name.

    Returns:
        Something to end a cell with. `.write("run.png")` makes a picture of it; `.frame`
        has the rows, as `turns` gives them: `session`, `request` (from 1), `started_at`,
        `lane` (who asked), `cost_usd`, `spent_usd` (so far), tokens, `total_ms`,
        `pause_ms` (before it, in which nothing ran), `outcome`.

    Raises:
        LabError: there is no such session, or several; it names those that are near.

    >>> import lectr_lab as lectr
    >>> log = lectr.demo_log()
    >>> dearest = lectr.sessions(log).head(1).collect()["session"].item()
    >>> lectr.session(log, dearest).frame.columns[:4]
    ['session', 'request', 'started_at', 'lane']
    >>> lectr.session(log, "no such run")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    lectr_lab.core.errors.LabError: No session no such run in this log. The ...
    """
    if not ids:
        raise LabError(
            "Which session? `sessions(log)` lists them: write session(log, id)."
        )
    log = as_log(log)
    if any(wanted.startswith(PREFIX) for wanted in ids):
        log = with_inferred(log)
    calls = log.filter(rows.is_call(), pl.col("session") != "")
    last = pl.col("started_at").max()
    known = calls.group_by("org", "session").agg(last).sort("started_at", "session")
    there = known.collect(engine="streaming").reverse().select("org", "session").rows()
    meant = [found(there, wanted, org) for wanted in ids]
    parts = [_part(calls, *one) for one in meant]
    titles = [_title(calls, part, *one) for part, one in zip(parts, meant, strict=True)]
    return Run(parts, titles)


def _part(calls: pl.LazyFrame, org: str, wanted: str) -> pl.DataFrame:
    run = turns(calls, wanted, org=org).collect(engine="streaming")
    return run.select(pl.lit(wanted).alias("session"), pl.all())


def _title(calls: pl.LazyFrame, part: pl.DataFrame, org: str, wanted: str) -> str:
    """Which session it is, whose, when and how long."""
    own = calls.filter(pl.col("org") == org, pl.col("session") == wanted)
    first = own.select(pl.col(_WHOSE).drop_nulls().first()).collect(engine="streaming")
    start, took_ms = pl.col("started_at"), pl.col("total_ms").fill_null(0.0)
    since_ms = (start - start.min()).dt.total_microseconds() / 1000
    length_ms = part.select((since_ms + took_ms).max()).item()
    began = part.select(start.min().dt.strftime("%Y-%m-%d %H:%M UTC")).item()
    words = [name(wanted)]
    words += [name(one) for one in first.row(0) if one]
    words += [began, duration(length_ms)]
    if part["on_plan"].any():
        words.append("covered by a plan: dollars by list")
    return " · ".join(words)

"""The rows behind incidents: which to look at first, and whether a rule changed."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import polars as pl

from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.added_up import in_batches
from lectr_lab.analysis.views.groups import key_columns

FIRST_ROWS = 5

_LOOK = timedelta(hours=6)
_NO_RULE = "none"
_FIRST = ("place", "telling", "started_at", "event_id")


def incident_rows(
    log: pl.LazyFrame, found: Incident, keys: Sequence[str], by: str | Sequence[str]
) -> pl.LazyFrame:
    """The calls of one incident's series between its onset and its end.

    Args:
        log: the events that it was found in.
        found: the incident.
        keys: the columns that name a series.
        by: what a series is, within its org.
    """
    at = pl.col("started_at")
    inside = at >= found.onset
    if found.end is not None:
        inside &= at < found.end
    named = key_columns(log, by)
    same = [
        key.eq_missing(pl.lit(value))
        for key, value in zip(named, found.series, strict=True)
    ]
    return log.filter(rows.is_request(), inside, *same)


def looked_between(incidents: Sequence[Incident]) -> tuple[datetime, datetime]:
    """The time that `looked_at` has rows of, of one incident at least."""
    first = min(one.onset for one in incidents) - _LOOK
    return first, max(one.end or one.onset + _LOOK for one in incidents)


def looked_at(
    log: pl.LazyFrame,
    incidents: Sequence[Incident],
    by: str | Sequence[str],
) -> list[tuple[tuple[bytes, ...], tuple[str, ...]]]:
    """Of each incident the ids of the first rows to look at, and what rules changed.

    The rows are those that say most of its kind in its first six hours: failed ones,
    the slowest, the dearest, else the first.
    """
    if not incidents:
        return []
    keyed = {
        f"key_{i}": key.cast(pl.String) for i, key in enumerate(key_columns(log, by))
    }
    hour = pl.col("started_at").dt.truncate("1h")
    told = _Told(_wanted(incidents, list(keyed)))
    near = (
        log.filter(
            pl.col("started_at").is_between(*looked_between(incidents)),
            # So few others are left that all but these need no price.
            _mark(hour, keyed.values()).is_in(told.marks),
        )
        .filter(rows.is_request())
        .select(
            *("event_id", "started_at", "total_ms", "cost_usd"),
            pl.col("rule").fill_null(_NO_RULE),
            failed=rows.failed().cast(pl.Float64),
            hour=hour,
            **keyed,
        )
    )
    in_batches(near, near.collect_schema().names(), told.add)
    return told.all(len(incidents))


class _Told:
    """What rows say of each incident, as they come, a batch after another."""

    def __init__(self, wanted: pl.DataFrame) -> None:
        self._wanted = wanted
        self._on = [name for name in wanted.columns if name.startswith("key_")]
        self._first: list[pl.DataFrame] = []
        self._rules: list[pl.DataFrame] = []

    @property
    def marks(self) -> pl.Series:
        """Of the hours and series that are wanted, in one list."""
        mark = _mark(pl.col("hour"), map(pl.col, self._on))
        return self._wanted.select(mark.unique().implode()).to_series()

    def add(self, near: pl.DataFrame) -> None:
        """Look at some more rows."""
        at = pl.col("started_at")
        some = (
            near.join(self._wanted, on=["hour", *self._on], nulls_equal=True)
            .filter(at >= pl.col("onset") - _LOOK, at < pl.col("until"))
            .with_columns(inside=at >= pl.col("onset"), telling=_telling())
        )
        self._rules.append(some.select("place", "inside", "rule").unique())
        first = _firsts(some.filter("inside").select(_FIRST))
        # Bytes of polars are views of a batch's, all of which they would keep.
        ids = pl.Series(first["event_id"].to_list(), dtype=pl.Binary)
        self._first.append(first.with_columns(event_id=ids))

    def all(self, n: int) -> list[tuple[tuple[bytes, ...], tuple[str, ...]]]:
        """Of each incident the ids, and what rules changed."""
        ids = _firsts(pl.concat(self._first)).group_by("place").agg("event_id")
        rule = pl.col("rule")
        rules = (
            pl.concat(self._rules)
            .group_by("place")
            .agg(before=rule.filter(~pl.col("inside")), since=rule.filter("inside"))
        )
        both = rules.join(ids, on="place", how="left")
        by_place = {row["place"]: row for row in both.iter_rows(named=True)}
        return [_told(by_place.get(i, {})) for i in range(n)]


def _firsts(some: pl.DataFrame) -> pl.DataFrame:
    """The rows of each incident to look at first; of two alike, that of the lower id."""
    ranked = some.sort(_FIRST, descending=[False, True, False, False])
    return ranked.group_by("place", maintain_order=True).head(FIRST_ROWS)


def _telling() -> pl.Expr:
    """How much a row says of the kind of an incident."""
    kind = pl.col("kind_of")
    slow = pl.when(kind.is_in(["latency", "latency_tail"])).then("total_ms")
    dear = pl.when(kind.is_in(["spend", "unit_cost", "prompt", "answer"]))
    failed = pl.when(kind == "errors").then("failed")
    return pl.coalesce(slow, dear.then("cost_usd"), failed).fill_null(0)


def _mark(hour: pl.Expr, keys: Iterable[pl.Expr]) -> pl.Expr:
    """One number for an hour and a series: of two others it is seldom the same."""
    hashes = [part.hash(i) for i, part in enumerate([hour, *keys])]
    return reduce(operator.add, hashes)


def _wanted(incidents: Sequence[Incident], keys: Sequence[str]) -> pl.DataFrame:
    """Of each incident its kind, whose it is, and each hour that rows are looked at in."""
    until = [min(one.end or one.onset + _LOOK, one.onset + _LOOK) for one in incidents]
    moment = pl.Datetime("us", "UTC")
    wanted = pl.DataFrame(
        {
            "place": range(len(incidents)),
            "kind_of": [one.kind for one in incidents],
            "onset": [one.onset for one in incidents],
            "until": until,
            **{key: [one.series[i] for one in incidents] for i, key in enumerate(keys)},
        },
        schema_overrides=dict.fromkeys(keys, pl.String)
        | {"onset": moment, "until": moment},
    )
    began = (pl.col("onset") - _LOOK).dt.truncate("1h")
    hours = pl.datetime_ranges(began, "until", "1h").alias("hour")
    return wanted.with_columns(hours).explode("hour")


def _told(row: Mapping[str, list[Any]]) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    before, since = set(row.get("before", ())), set(row.get("since", ()))
    changed = [f"rule {name} began to apply" for name in sorted(since - before)]
    changed += [f"rule {name} no longer applied" for name in sorted(before - since)]
    quiet = not before or not since  # nothing was asked there, so nothing changed
    named = [text for text in changed if f"rule {_NO_RULE} " not in text]
    return tuple(row.get("event_id") or ()), () if quiet else tuple(named)

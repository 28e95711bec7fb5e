"""The rows behind incidents: which to look at first, and whether a rule changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import key_columns

FIRST_ROWS = 5

_LOOK = timedelta(hours=6)
_NO_RULE = "none"


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
    keys: Sequence[str],
    by: str | Sequence[str],
) -> list[tuple[tuple[bytes, ...], tuple[str, ...]]]:
    """Of each incident the ids of the first rows to look at, and what rules changed.

    The rows are those that say most of its kind in its first six hours: failed ones,
    the slowest, the dearest, else the first.
    """
    if not incidents:
        return []
    wanted = _wanted(incidents, keys)
    first, last = looked_between(incidents)
    at = pl.col("started_at")
    failed = (rows.failed() & (pl.col("kind_of") == "errors")).cast(pl.Float64)
    slow = pl.when(pl.col("kind_of").is_in(["latency", "latency_tail"])).then(
        "total_ms"
    )
    dear = pl.when(pl.col("kind_of").is_in(["spend", "unit_cost", "prompt", "answer"]))
    telling = pl.coalesce(slow, dear.then("cost_usd"), failed).fill_null(0)
    columns = ["event_id", "started_at", "kind", "operation", "path", "input_tokens"]
    columns += ["outcome", "total_ms", "cost_usd", "rule"]
    named = zip(keys, key_columns(log, by), strict=True)
    keyed = {
        key: column.cast(pl.String).alias(f"key_{i}")
        for i, (key, column) in enumerate(named)
    }
    near = (
        # All but these is what the join leaves out: so few of them have to be priced.
        log.filter(at.is_between(first, last), *_nearly(wanted, keyed))
        .filter(rows.is_request())
        .select(*columns, *keyed.values())
        .join(
            wanted.lazy().rename({"kind": "kind_of"}),
            left_on=[f"key_{i}" for i in range(len(keys))],
            right_on=list(keys),
            nulls_equal=True,
        )
        .filter(at >= pl.col("onset") - _LOOK, at < pl.col("until"))
        .with_columns(inside=at >= pl.col("onset"), telling=telling)
    )
    ids = pl.col("event_id").sort_by(
        ["telling", "started_at"], descending=[True, False]
    )
    rule = pl.col("rule").fill_null(_NO_RULE)
    told = (
        near.group_by("place")
        .agg(
            ids=ids.filter(pl.col("inside").sort_by(
                ["telling", "started_at"], descending=[True, False])).head(FIRST_ROWS),
            before=rule.filter(~pl.col("inside")).unique().sort(),
            since=rule.filter(pl.col("inside")).unique().sort(),
        )
        .collect()
    )  # fmt: skip
    by_place = {row["place"]: row for row in told.iter_rows(named=True)}
    none: dict[str, list[bytes]] = {"ids": [], "before": [], "since": []}
    return [_told(by_place.get(i, none)) for i in range(len(incidents))]


def _wanted(incidents: Sequence[Incident], keys: Sequence[str]) -> pl.DataFrame:
    """Of each incident its kind, its first hours and whose it is."""
    return pl.DataFrame(
        {
            "place": range(len(incidents)),
            "kind": [one.kind for one in incidents],
            "onset": [one.onset for one in incidents],
            "until": [min(one.end or one.onset + _LOOK, one.onset + _LOOK)
                      for one in incidents],
            **{
                key: [one.series[i] for one in incidents]
                for i, key in enumerate(keys)
            },
        },
        schema_overrides=dict.fromkeys(keys, pl.String)
        | {"onset": pl.Datetime("us", "UTC"), "until": pl.Datetime("us", "UTC")},
    )  # fmt: skip


def _nearly(wanted: pl.DataFrame, keyed: Mapping[str, pl.Expr]) -> Iterator[pl.Expr]:
    """Rows of the hours and of the names of incidents, if not of one and the same."""
    began = (pl.col("onset") - _LOOK).dt.truncate("1h")
    hours = wanted.select(pl.datetime_ranges(began, "until", "1h").explode().unique())
    yield pl.col("started_at").dt.truncate("1h").is_in(hours.to_series().implode())
    for name, key in keyed.items():
        yield key.is_in(wanted[name].unique().implode(), nulls_equal=True)


def _told(row: dict[str, list[bytes]]) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    before, since = set(map(str, row["before"])), set(map(str, row["since"]))
    changed = [f"rule {name} began to apply" for name in sorted(since - before)]
    changed += [f"rule {name} no longer applied" for name in sorted(before - since)]
    quiet = not before or not since  # nothing was asked there, so nothing changed
    named = [text for text in changed if f"rule {_NO_RULE} " not in text]
    return tuple(row["ids"]), () if quiet else tuple(named)

"""What a dashboard is drawn from: the cube of a log as compact JSON.

A few thousand cells at most, so that the browser only adds up what is selected.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import polars as pl

from lectr_lab.analysis.views import asides, cube, data_gaps
from lectr_lab.analysis.views.cube import GROWTH, KEYS, MEASURES, Leaders
from lectr_lab.analysis.views.time_steps import polars_zone, wall_step
from lectr_lab.core.event import UNTAGGED, unnamed
from lectr_lab.core.formatting import UNKNOWN, count, name, names
from lectr_lab.log.losses import Losses

TITLE = "What it cost, how slow it was"
STEPS = {
    "1m": (60, "minute"),
    "10m": (600, "10 minutes"),
    "1h": (3_600, "hour"),
    "6h": (21_600, "6 hours"),
    "1d": (86_400, "day"),
    "1w": (604_800, "week"),
    "1mo": (2_592_000, "month"),
}
MOST_STEPS = 72
MOST_KINDS = 10
_LETTERS = 48
_TAG_ADVICE = 'extra_headers={"X-Lectr-Feature": "search"}'
_FIGURES = 7  # of a sum of money: more than a page shows


class Head(NamedTuple):
    """What a page says of itself."""

    title: str
    tz: str
    lost: Losses = Losses()
    live: str = ""
    by: str = "feature"  # what stands in the place of the features


class Counted(NamedTuple):
    """A log, counted: finished frames, whatever the number of its rows."""

    ranked: pl.DataFrame  # requests and cost_usd per org, feature, provider, model
    leaders: Leaders
    sums: pl.DataFrame
    bins: pl.DataFrame
    kinds: pl.DataFrame
    first_at: datetime | None
    last_at: datetime | None
    every: str
    exact: pl.DataFrame | None = None


def step(first: datetime | None, last: datetime | None) -> str:
    """The shortest step that keeps a time chart readable."""
    span_s = (last - first).total_seconds() if first and last else 0.0
    fit = (every for every, (s, _) in STEPS.items() if span_s / s < MOST_STEPS)
    return next(fit, "1mo")


def leaders(ranked: pl.DataFrame) -> Leaders:
    """The features and models that have cells of their own."""
    pairs = (
        cube.leading(ranked.lazy(), keys, most).collect().rows()
        for keys, most in (
            (["org", "feature"], cube.MOST_FEATURES),
            (["provider", "model"], cube.MOST_MODELS),
        )
    )
    return Leaders(*map(tuple, pairs))


def count_log(log: pl.LazyFrame, tz: str) -> Counted:
    """Count a whole log, with exact percentiles of the leading features.

    Args:
        log: events with `cost_usd`; read twice, so best in memory.
        tz: the time zone in which days begin.
    """
    at = pl.col("started_at")
    span, ranked = pl.collect_all(
        [log.select(at.min().alias("first"), at.max().alias("last")), cube.ranking(log)]
    )
    first, last = span.row(0)
    every, lead = step(first, last), leaders(ranked)
    cells = cube.placed(log, lead, every, tz).collect().lazy()
    sums, bins, kinds, exact = pl.collect_all(
        [*cube.cube(cells), cube.exact_latency(cells)]
    )
    return Counted(ranked, lead, sums, bins, kinds, first, last, every, exact)


def payload(counted: Counted, head: Head) -> str:
    """The JSON that dashboard.js draws."""
    orgs = counted.ranked["org"].unique().to_list()
    features, models = _names(counted, len(orgs) > 1)
    kinds = _leading_kinds(counted.kinds)
    times, unread = _times(counted, head.tz), head.lost.unread
    data = {
        "title": name(head.title, 120),
        "whose": name(orgs[0]) if len(orgs) == 1 else "",
        "tz": head.tz,
        "first": _moment(counted.first_at, head.tz),
        "last": _moment(counted.last_at, head.tz),
        "every": counted.every,
        "step": STEPS[counted.every][1],
        "times": times,
        "features": features,
        "leading": len(counted.leaders.features),
        "by": head.by.replace("_", " "),
        "n_features": _named(counted, head.by).n_unique(),
        "models": models,
        "leading_models": len(counted.leaders.models),
        "kinds": [[name(part) for part in kind] for kind in kinds],
        "measures": MEASURES,
        "cells": _cells(counted, times, kinds),
        "exact": _exact(counted.exact),
        "growth": GROWTH,
        "dropped": head.lost.dropped,
        "unread": unread.in_words() if unread.things else "",
        "unread_things": unread.things,
        "asides": asides.aside_sentences(
            counted.sums.select(pl.col(asides.SUMS).sum()).row(0, named=True)
        ),
        "live": head.live,
        "untagged": unnamed(head.by),
        "much_untagged": data_gaps.MUCH_UNTAGGED,
        "tag_advice": _TAG_ADVICE,
    }
    return msgspec.json.encode(data).decode()


def _named(counted: Counted, by: str) -> pl.Series:
    features = counted.ranked["feature"].drop_nulls()
    return features.filter(features != unnamed(by))


def _names(counted: Counted, several_orgs: bool) -> tuple[list[str], list[list[str]]]:
    """What the places of a cube are called, the others last."""
    lead, ranked = counted.leaders, counted.ranked
    shown = [
        f"{org or UNKNOWN} · {feature or UNTAGGED}"
        if several_orgs
        else feature or UNTAGGED
        for org, feature in lead.features
    ]
    others = ranked.select("org", "feature").n_unique() - len(shown)
    other_models = ranked.select("provider", "model").n_unique() - len(lead.models)
    models = [[name(provider), name(model)] for provider, model in lead.models]
    if others > 0:
        shown.append(f"all others ({count(others)})")
    if other_models > 0:
        models.append(["", f"all others ({count(other_models)})"])
    return names(shown, _LETTERS), models


def _moment(at: datetime | None, tz: str) -> str:
    if at is None:
        return ""
    local = (
        pl.Series([at])
        .dt.convert_time_zone(polars_zone(tz))
        .dt.replace_time_zone(None)
        .item()
    )
    return f"{local:%-d %B %Y, %H:%M}"


def _times(counted: Counted, tz: str) -> list[int]:
    """The start of every step from first to last, the empty ones too."""
    if counted.first_at is None:
        return []
    at = pl.lit(pl.Series([counted.first_at, counted.last_at]))
    ends = pl.select(wall_step(at, counted.every, tz).dt.epoch("ms")).to_series()
    # Where an hour comes twice, the last moment may be earlier by the clock than others.
    clock = pl.concat([ends, counted.sums["time"]]).sort().cast(pl.Datetime("ms"))
    grid = pl.datetime_range(clock[0], clock[-1], counted.every, eager=True)
    return grid.dt.epoch("ms").to_list()


def _leading_kinds(kinds: pl.DataFrame) -> list[tuple[str | None, str | None]]:
    """The most frequent errors; the others together are last."""
    by_kind = kinds.group_by("kind", "source").agg(pl.col("n").sum())
    most = by_kind.sort("n", "kind", "source", descending=[True, False, False])
    found = most.select("kind", "source").rows()
    if len(found) <= MOST_KINDS:
        return found
    return [*found[:MOST_KINDS], ("other errors", "several")]


def _cells(
    counted: Counted, times: list[int], kinds: Sequence[tuple[str | None, str | None]]
) -> list[list[Any]]:
    """A list per cell: its places, its sums, its durations and its errors in pairs."""
    place = {time: i for i, time in enumerate(times)}
    which = {kind: i for i, kind in enumerate(kinds)}
    durations: dict[Any, list[int]] = {}
    for *key, number, n in (
        counted.bins.select(*KEYS, "bin", "n").sort("bin").iter_rows()
    ):
        durations.setdefault(tuple(key), []).extend((number, n))
    errors: dict[Any, list[int]] = {}
    for *key, kind, source, n in counted.kinds.select(
        *KEYS, "kind", "source", "n"
    ).iter_rows():
        known = which.get((kind, source), len(kinds) - 1)
        errors.setdefault(tuple(key), []).extend((known, n))
    some = pl.any_horizontal(pl.col(MEASURES) != 0)  # else there was no call
    sums = (
        counted.sums.select(*KEYS, *MEASURES)
        .filter(some)
        .with_columns(pl.col("spend_usd", "untagged_usd").round_sig_figs(_FIGURES))
    )
    return [
        [place[key[0]], *key[1:], *sums, durations.get(key, []), errors.get(key, [])]
        for (*some,) in sums.sort(KEYS).iter_rows()
        for key, sums in [(tuple(some[:3]), some[3:])]
    ]


def _exact(found: pl.DataFrame | None) -> dict[str, Any] | None:
    """Percentiles by place: each with its interval, and n."""
    if found is None:
        return None
    return {str(row["f"]): _percentiles(row) for row in found.iter_rows(named=True)}


def _percentiles(row: dict[str, Any]) -> dict[str, Any]:
    ends = {
        str(p): [row[f"total_p{p}{end}_ms"] for end in ("", "_low", "_high")]
        for p in (50, 95, 99)
    }
    return ends | {"n": row["total_n"]}

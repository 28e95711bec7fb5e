"""What a dashboard is drawn from: the cube of a log as compact JSON.

A few thousand cells at most, so that the browser only adds up what is selected.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import polars as pl

from lectr_lab.analysis.views import asides, cube, data_gaps
from lectr_lab.analysis.views.cube import FIRST_BIN, GROWTH, KEYS, MEASURES, NANO
from lectr_lab.analysis.views.money import PUSD_PER_USD, summed
from lectr_lab.core.event import UNTAGGED, unnamed
from lectr_lab.core.formatting import UNKNOWN, count, name, names
from lectr_lab.dashboards.counted import Counted
from lectr_lab.dashboards.packed import differences, packed
from lectr_lab.dashboards.steps import STEPS, longer, step
from lectr_lab.log.losses import Losses

TITLE = "What it cost, how slow it was"
MOST_KINDS = 10
MOST_OTHERS = 500
"""So many of the features without cells of their own are listed."""

_LETTERS = 48
_TAG_ADVICE = 'extra_headers={"X-Lectr-Feature": "search"}'
_FIGURES = 7  # of a sum of money: more than a page shows
_FIRST_BIN = FIRST_BIN - 1  # below all
NOTHING: Mapping[str, Any] = {}


class Head(NamedTuple):
    """What a page says of itself."""

    title: str
    tz: str
    lost: Losses = Losses()
    live: str = ""
    by: str = "feature"  # what stands in the place of the features


def payload(counted: Counted, head: Head, beside: Mapping[str, Any] = NOTHING) -> str:
    """The JSON that the script draws.

    Args:
        counted: the log.
        head: what the page says of itself.
        beside: what else it shows, by name, ready for JSON: `rows` (requests), `marks`
            (what happened when), `selected` (as `rows_of` takes it), `odd`, `budgets`, `forecast`.
    """
    orgs = counted.ranked["org"].unique().to_list()
    kinds, unread = _leading_kinds(counted.sums), head.lost.unread
    drawn = step(counted.first_at, counted.last_at)
    drawn = counted.every if longer(counted.every, drawn) else drawn
    data = {
        "title": name(head.title, 120),
        "whose": name(orgs[0]) if len(orgs) == 1 else "",
        "tz": head.tz,
        "first": _ms(counted.first_at),
        "last": _ms(counted.last_at),
        "counted": counted.every,
        "every": drawn,
        "steps": [[key, *STEPS[key]] for key in STEPS],
        "by": head.by.replace("_", " "),
        "n_features": _named(counted, head.by).n_unique(),
        **_names(counted, len(orgs) > 1),
        **({"sessions": []} if head.by == "session" else {}),  # they are the features
        "kinds": [[name(part) for part in kind] for kind in kinds],
        "others": _others(counted, len(orgs) > 1),
        "n_others": counted.ranked.select("org", "feature").n_unique()
        - len(counted.leaders.features),
        "measures": MEASURES,
        **_cells(counted, kinds),
        "exact": _exact(counted.exact),
        "growth": GROWTH,
        "dropped": head.lost.dropped,
        "unread": unread.in_words() if unread.things else "",
        "unread_things": unread.things,
        "asides": asides.aside_sentences(
            counted.sums.select(pl.col(asides.SUMS).sum()).row(0, named=True)
        ),
        "live": head.live,
        "keys": _keys(counted, kinds) if head.live or beside.get("selected") else None,
        "untagged": unnamed(head.by),
        "much_untagged": data_gaps.MUCH_UNTAGGED,
        "tag_advice": _TAG_ADVICE,
    }
    return msgspec.json.encode(data | dict(beside)).decode()


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def _named(counted: Counted, by: str) -> pl.Series:
    features = counted.ranked["feature"].drop_nulls()
    return features.filter(features != unnamed(by))


def _shown(org: str | None, feature: str | None, several_orgs: bool) -> str:
    own = feature or UNTAGGED
    return f"{org or UNKNOWN} · {own}" if several_orgs else own


def _names(counted: Counted, several_orgs: bool) -> dict[str, Any]:
    """What the places of a cube are called, the others last; how many lead."""
    lead, ranked = counted.leaders, counted.ranked
    shown = [_shown(*pair, several_orgs) for pair in lead.features]
    others = ranked.select("org", "feature").n_unique() - len(shown)
    other_models = ranked.select("provider", "model").n_unique() - len(lead.models)
    models = [[name(provider), name(model)] for provider, model in lead.models]
    if others > 0:
        shown.append(f"all others ({count(others)})")
    if other_models > 0:
        models.append(["", f"all others ({count(other_models)})"])
    runs = [_shown(*pair, several_orgs) for pair in lead.sessions]
    return {
        "features": names(shown, _LETTERS),
        "leading": len(lead.features),
        "models": models,
        "leading_models": len(lead.models),
        "sessions": names([*runs, "all others"], _LETTERS) if runs else [],
    }


def _others(counted: Counted, several_orgs: bool) -> list[list[Any]]:
    """The features that have no cells of their own: name, requests, USD; dearest first,
    the names of clients on one line."""
    own = counted.ranked.group_by("org", "feature").agg(
        summed(["requests", "cost_usd"])
    )
    dearest = own.sort(
        *("cost_usd", "requests", "org", "feature"),
        descending=[True, True, False, False],
    )
    rest = dearest.slice(len(counted.leaders.features), MOST_OTHERS)
    return [
        [name(_shown(org, feature, several_orgs), _LETTERS), requests, _rounded(usd)]
        for org, feature, requests, usd in rest.iter_rows()
    ]


def _rounded(usd: float | None) -> float | None:
    return None if usd is None else float(f"{usd:.{_FIGURES}g}")


Kind = tuple[str | None, str | None]


def _leading_kinds(sums: pl.DataFrame) -> list[Kind]:
    """The most frequent errors; the others together are last."""
    by_kind = (
        sums.filter(pl.col("why").is_not_null())
        .group_by("why", "whose")
        .agg(pl.col("errors").sum())
    )
    most = by_kind.sort("errors", "why", "whose", descending=[True, False, False])
    found = most.select("why", "whose").rows()
    if len(found) <= MOST_KINDS:
        return found
    return [*found[:MOST_KINDS], ("other errors", "several")]


def _keys(counted: Counted, kinds: Sequence[Kind]) -> dict[str, Any]:
    """What the places are in the log, for a page that asks its kernel for rows."""
    return {
        "features": counted.leaders.features,
        "models": counted.leaders.models,
        "errors": kinds[:MOST_KINDS],
        "sessions": counted.leaders.sessions,
    }


_PLACES = ["time", "f", "m", "s", "e"]


def _cells(counted: Counted, kinds: Sequence[Kind]) -> dict[str, Any]:
    """`times` (the first, in ms, and by how many seconds each is later) and `cells`: a
    column for each of their places and sums, and `bins`; packed, and 0 where all is."""
    some = pl.any_horizontal(pl.col(MEASURES) != 0)  # else there was no call
    sums = (
        _with_errors(counted.sums, kinds)
        .group_by(_PLACES)
        .agg(summed([*MEASURES, *NANO.values()]))
        .filter(some)
        .sort(_PLACES)
    )
    sums = cube.whole_tokens(sums)
    times = sums["time"].unique().sort().to_list()
    at = {time: i for i, time in enumerate(times)}
    e = pl.col("e") + 1  # 0: it did not fail
    pusd = (pl.col("^.*usd$") * float(PUSD_PER_USD)).round().cast(pl.Int64)
    whole = sums.with_columns(e, pusd).select(*_PLACES[1:], *MEASURES)
    cells = {own.name: packed(own) if (own != 0).any() else 0 for own in whole}
    later = (ms // 1000 for ms in differences(times, *times[:1]))
    return {
        "times": [times[0] if times else None, packed(later)],
        "first_bin": _FIRST_BIN,
        "cells": {
            "t": packed(differences(at[time] for time in sums["time"])),
            **cells,
            "bins": _bins(counted.bins, sums.select(_PLACES)),
        },
    }


def _with_errors(frame: pl.DataFrame, kinds: Sequence[Kind]) -> pl.DataFrame:
    """With the place `e` of each error: those that do not lead have the last."""
    which = {kind: i for i, kind in enumerate(kinds)}
    others = len(kinds) - 1
    e = [
        -1 if why is None else which.get((why, whose), others)
        for why, whose in frame.select("why", "whose").iter_rows()
    ]
    return frame.with_columns(pl.Series("e", e, pl.Int32))


def _bins(bins: pl.DataFrame, cells: pl.DataFrame) -> str:
    """The durations of each cell: how many bins, and of each how far it is from the one
    before, and n. Only what did not fail has some."""
    keys = [pl.col(key).cast(pl.Int64) for key in KEYS if key not in ("why", "whose")]
    places = cells.select(*keys, pl.int_range(pl.len()).alias("cell"), "e")
    number = pl.col("bin").cast(pl.Int64)
    own = (
        bins.select(*keys, number, pl.col("n").cast(pl.Int64))
        .join(
            places.filter(pl.col("e") < 0), on=[key.meta.output_name() for key in keys]
        )
        .sort("cell", "bin")
    )
    before = number.shift(1).over("cell").fill_null(_FIRST_BIN)
    # A cell's own number is that of its bins, 0 where it has none.
    heads = pl.concat([own.select("cell"), places.select("cell")]).group_by("cell")
    parts = [
        heads.agg(bin=pl.lit(_FIRST_BIN, pl.Int64), n=pl.len().cast(pl.Int64) - 1),
        own.select("cell", "bin", n=number - before),
        own.select("cell", "bin", "n"),
    ]
    told = [part.with_columns(part=pl.lit(i)) for i, part in enumerate(parts)]
    return packed(pl.concat(told).sort("cell", "bin", "part")["n"])


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

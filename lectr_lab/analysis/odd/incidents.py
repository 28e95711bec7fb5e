"""An incident: one episode of one series, with all that is known of it."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.analysis.odd.cells import MODEL
from lectr_lab.analysis.odd.episodes import Episode
from lectr_lab.analysis.odd.grid import CELL, Span
from lectr_lab.analysis.odd.history import History
from lectr_lab.analysis.odd.outline import course, edges, risen_model, size
from lectr_lab.analysis.odd.predict import HOUR, WEEK
from lectr_lab.analysis.odd.split import Traffic, parts
from lectr_lab.analysis.odd.traffic import price_changes, token_prices, traffic
from lectr_lab.analysis.odd.words import sentence
from lectr_lab.core.formatting import name
from lectr_lab.core.pricing.price import PriceList

_ID_BYTES = 6
_MOST_WEEKS = 1e6


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of one series. Times are UTC, money is USD.

    `series` has the org, then what was asked by. `found` is the look that opened it and
    never moves; `onset` and `end` are told from the cells, and may. `actual`, `expected`
    and `size`, their ratio, are of `kind`, the strongest of `kinds`. `parts` sum to
    `usd_over`. Chance shows one like it in `feature_weeks`.
    """

    id: str
    series: tuple[str | None, ...]
    kind: str
    kinds: tuple[str, ...]
    model: str | None  # whose share rose, where that is the kind
    onset: datetime
    end: datetime | None
    found: datetime
    actual: float
    expected: float
    size: float
    z: float
    n: int
    usd: float
    usd_over: float
    parts: dict[str, float]
    feature_weeks: float
    changed: tuple[str, ...] = ()
    first_rows: tuple[bytes, ...] = ()
    sentence: str = ""


class Context(NamedTuple):
    """What incidents are told from."""

    cells: pl.DataFrame  # of all series, or of the one whose incident is told
    keys: Sequence[str]
    prices: PriceList
    zone: ZoneInfo
    several_orgs: bool
    noted: Sequence[tuple[datetime, str]]


def incident(
    history: History, place: int, episode: Episode, context: Context
) -> Incident:
    """All that cells say of an episode.

    Args:
        history: of the block that its series is in.
        place: of the series in the block.
        episode: which one.
        context: the cells of its series, and prices.
    """
    span = history.grid.span
    first_kind, window, actual, expected = episode.first.select(
        "kind", "window", "actual", "expected"
    ).row(0)
    fired = (max(episode.found - window + 1, 0), episode.found)
    higher = actual >= expected
    pair = risen_model(history, place, *fired)
    by_cells = course(history, first_kind, place, pair)
    began, ended = edges(by_cells, fired, episode.last, higher)
    is_open = episode.open and ended + HOUR >= span.last
    kinds = tuple(episode.alarms["kind"].unique(maintain_order=True).to_list())
    pair = risen_model(history, place, began, ended)
    by_cells = course(history, kinds[0], place, pair)
    shown, meant, ratio = size(by_cells, kinds[0], began, ended)
    series = history.grid.series.row(place)
    onset, end = span.at(began), min(span.at(ended) + CELL, _now(span))
    requests, _ = course(history, "traffic_high", place).between(began, ended)
    before, now, models = _sides(history, place, (began, ended), context)
    rate = float(episode.alarms["rate"][0])
    found = Incident(
        id=_id(series, span.at(episode.found)),
        series=series,
        kind=kinds[0],
        kinds=kinds,
        model=history.grid.models["model"][pair] if kinds[0] == "models" else None,
        onset=onset,
        end=None if is_open else end,
        found=span.at(episode.found),
        actual=shown,
        expected=meant,
        size=ratio,
        z=float(episode.alarms["z"][0]),
        n=round(requests),
        usd=now.usd(),
        usd_over=now.usd() - before.usd(),
        parts=parts(before, now),
        feature_weeks=min(1 / max(rate, 1 / _MOST_WEEKS), _MOST_WEEKS),
        changed=_changed(context, models, (onset, end)),
    )
    return msgspec.structs.replace(found, sentence=in_words(found, context))


def in_words(found: Incident, context: Context) -> str:
    """The sentence of an incident."""
    until = None if found.end is None else found.end.astimezone(context.zone)
    return sentence(
        series=found.series if context.several_orgs else found.series[1:],
        kind=found.kind,
        model=found.model,
        actual=found.actual,
        expected=found.expected,
        size=found.size,
        n=found.n,
        since=found.onset.astimezone(context.zone),
        until=until,
        feature_weeks=found.feature_weeks,
        usd_over=found.usd_over,
        parts=found.parts,
        also=found.kinds[1:],
    )


def _now(span: Span) -> datetime:
    return span.at(span.last) + CELL * float(span.exposure[span.last])


def _id(series: tuple[str | None, ...], found: datetime) -> str:
    text = repr((series, found.isoformat())).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=_ID_BYTES).hexdigest()


def _sides(
    history: History, place: int, cells: tuple[int, int], context: Context
) -> tuple[Traffic, Traffic, pl.DataFrame]:
    """What was expected and what was asked, of the same models; and these, with when
    each was first and last asked."""
    span, (began, ended) = history.grid.span, cells
    own, at = context.cells, pl.col("at")
    inside = own.filter(at.is_between(span.at(began), span.at(ended)))
    hour = max(began // HOUR - 1, 0)
    week = history.seen[place, max(hour - WEEK, 0) : hour].nonzero()[0]
    hours = [span.at((max(hour - WEEK, 0) + int(h)) * HOUR) for h in week]
    past = own.filter(at.dt.truncate("1h").is_in(hours))
    models = (
        pl.concat([past.with_columns(now=False), inside.with_columns(now=True)])
        .group_by(MODEL)
        .agg(now=pl.col("now").any(), past=(~pl.col("now")).any())
        .sort(MODEL)
    )
    ever = own.filter(at < span.at(began)).select(MODEL).unique()
    models = models.join(
        ever.with_columns(known=True), on=list(MODEL), how="left", nulls_equal=True
    )
    both = models.select(MODEL)
    requests, expected = course(history, "traffic_high", place).between(began, ended)
    token_usd = token_prices(past, both, span.at(began), context.prices)
    new_usd = token_prices(inside, both, span.at(ended), context.prices)
    known = models["past"].to_numpy()[:, None]
    listed = _same_list(both, (span.at(hour * HOUR), span.at(ended)), context.prices)
    # Prices of a few hours are told worse than those of the week, unless they changed.
    now_usd = np.where(known & listed[:, None], token_usd, new_usd)
    now = traffic(inside, both, requests, now_usd)
    before = traffic(past, both, expected, token_usd)
    if not past["n"].sum():  # no history to tell from: nothing was expected
        before = before._replace(requests=0.0)
    return before, now, models


def _same_list(
    models: pl.DataFrame, when: tuple[datetime, datetime], prices: PriceList
) -> NDArray[np.bool_]:
    """Whether the list prices each model now as it did."""
    changed = price_changes(models, *when, prices)
    return ~models["model"].is_in(changed, nulls_equal=True).to_numpy()


def _changed(
    context: Context, models: pl.DataFrame, when: tuple[datetime, datetime]
) -> tuple[str, ...]:
    """What else changed at that time, as far as cells, prices and notes say it."""
    onset, end = when
    new = models.filter(pl.col("now"), pl.col("known").is_null())["model"]
    said = [f"a model never seen before: {name(model)}" for model in new]
    here = models.filter(pl.col("now")).select(MODEL)
    dearer = price_changes(here, onset - WEEK * HOUR * CELL, end, context.prices)
    said += [f"another price by the list: {name(model)}" for model in dearer]
    near = 2 * HOUR * CELL
    said += [
        f"noted at {at.astimezone(context.zone):%Y-%m-%d %H:%M}: {name(text, 200)}"
        for at, text in context.noted
        if onset - near <= at <= end
    ]
    return tuple(said)

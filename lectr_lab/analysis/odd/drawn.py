"""One incident as a picture: its series from days before it to a day after."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from lectr_lab.analysis.odd.incidents import Incident
from lectr_lab.analysis.odd.series import one_series
from lectr_lab.analysis.odd.words import NAMES
from lectr_lab.analysis.views.time_steps import zone
from lectr_lab.charts.odd import odd_series
from lectr_lab.charts.style import Drawing
from lectr_lab.core.formatting import name

_BEFORE = timedelta(days=4)
_AFTER = timedelta(days=1)
_LETTERS = 28


def picture_of(
    incident: Incident,
    cells: pl.DataFrame,
    keys: Sequence[str],
    *,
    now: datetime,
    tz: str,
    budget: float,
) -> Drawing:
    """What the strongest kind of an incident showed, beside what was expected.

    Args:
        incident: the one to draw.
        cells: of its series alone.
        keys: the columns that name a series.
        now: where the record ends.
        tz: the time zone that is read.
        budget: false alarms a feature-week, which the band is drawn for.
    """
    series = one_series(cells, keys, incident.kind, now=now, tz=tz, budget=budget)
    until = min((incident.end or now) + _AFTER, now)
    near = series.filter(
        pl.col("time").is_between(incident.onset - _BEFORE, until)
    ).with_columns(pl.col("time").dt.convert_time_zone(tz))
    where = zone(tz)
    whose = " · ".join(name(key, _LETTERS) for key in incident.series[1:])
    onset = incident.onset.astimezone(where)
    return odd_series(
        near,
        incident.kind,
        onset=onset,
        end=None if incident.end is None else incident.end.astimezone(where),
        title=f"{whose}: {NAMES[incident.kind]} since {onset:%-d %B, %H:%M}",
    )

"""A lab of made-up traffic in which something is odd at the end."""

from datetime import datetime
from pathlib import Path

import polars as pl
from odd_traffic import DAY, Fault, as_log, feature, moment, requests

from lectr_lab.log.folder import LabFolder
from lectr_lab.log.schema import file_metadata

DAYS = 9
BURST = Fault("traffic", 6.0, DAYS * DAY - 24, DAYS * DAY)


def odd_lab(root: Path, fault: Fault = BURST, last_day: datetime | None = None) -> Path:
    """A lab folder of one feature over nine days, which ends in a burst of two hours.

    Args:
        root: where it is made.
        fault: what is odd in it.
        last_day: the day in the place of the last; None: as made up.
    """
    log = as_log(requests(feature(0, 60.0), DAYS * DAY, fault)).drop("cost_usd")
    rows = log.collect()
    if last_day is not None:
        last = rows["started_at"].dt.truncate("1d").max()
        rows = rows.with_columns(pl.col("started_at") + (pl.lit(last_day) - last))
    return _written(root, rows)


def quiet_lab(root: Path, until: datetime) -> Path:
    """A lab folder of one feature over nine days that ends at a moment, never failing.

    Args:
        root: where it is made.
        until: where its record ends.
    """
    what = feature(0, 60.0)._replace(failing=0.0)
    rows = as_log(requests(what, DAYS * DAY)).drop("cost_usd").collect()
    later = pl.lit(until) - pl.lit(moment(DAYS * DAY))
    return _written(root, rows.with_columns(pl.col("started_at") + later))


def _written(root: Path, rows: pl.DataFrame) -> Path:
    lab = LabFolder.create(root)
    for (day,), part in rows.group_by(pl.col("started_at").dt.date()):
        lab.day(day).mkdir(exist_ok=True)
        part.write_parquet(lab.day(day) / "a.parquet", metadata=file_metadata())
    return root

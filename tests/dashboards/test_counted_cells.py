"""A dashboard that is counted by what is kept of closed days says what rows say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from cell_logs import logs, user_prices
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.log import day_ends
from lectr_lab.analysis.scan import scan
from lectr_lab.analysis.views import cube
from lectr_lab.dashboards import counted, following
from lectr_lab.dashboards.counted import Counted, count_log
from lectr_lab.dashboards.following import Follower
from lectr_lab.log.schema import file_metadata

LAST = datetime(2026, 11, 2, tzinfo=UTC)
SPANS = [[LAST - timedelta(days=step * n) for n in range(5)] for step in (1, 5, 24)]
"""Days by which a page draws hours, days and weeks."""


def lab_of(folder: Path, rows: pl.DataFrame) -> Path:
    """Each day's rows in a file of its own."""
    for (day,), part in rows.group_by(pl.col("started_at").dt.date()):
        at = folder / "log" / f"date={day}"
        at.mkdir(parents=True)
        part.write_parquet(at / "0.parquet", metadata=file_metadata())
    return folder


def same(found: Counted, wanted: Counted) -> None:
    """Counts are equal, and money to 1e-9 of it."""
    assert found.leaders == wanted.leaders and found.every == wanted.every
    assert (found.first_at, found.last_at) == (wanted.first_at, wanted.last_at)
    assert sorted(found.bins.select(*cube.KEYS, "bin", "n").rows(), key=str) == sorted(
        wanted.bins.select(*cube.KEYS, "bin", "n").rows(), key=str
    )
    whole = [
        cube.whole_tokens(one.sums.sort(cube.KEYS, nulls_last=True))
        for one in (found, wanted)
    ]
    for name in (*cube.KEYS, *cube.MEASURES):
        one, other = (frame[name].to_list() for frame in whole)
        if name.endswith("usd"):
            assert one == pytest.approx(other, rel=1e-9, abs=1e-9), name
        else:
            assert one == other, name


@given(st.sampled_from(SPANS).flatmap(logs), user_prices)
@settings(max_examples=12, deadline=None)
def test_a_page_of_cells_is_that_of_rows(rows, prices):
    """By hours, days and weeks, of as many rows as are no more counted one by one; and
    so is the one that follows."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module in (counted, following):
            patch.setattr(module, "MOST_EXACT_ROWS", 0)
        log = scan(lab_of(Path(folder), rows), prices)

        found = count_log(log, "UTC")

        assert found.log is not None and found.exact is None
        of_rows = count_log(log.lazy().collect().lazy(), "UTC")
        assert of_rows.log is None
        same(found, of_rows)
        live = Follower(Path(folder), prices).read()
        assert live is not None and live[0].many
        same(live[0], of_rows)


@given(logs(SPANS[1]), st.sampled_from(["UTC", "Europe/Berlin"]))
@settings(max_examples=10, deadline=None)
def test_a_page_of_few_rows_is_the_same_of_cells(rows, tz):
    """Where no session is named; durations are those of the rows."""
    with TemporaryDirectory() as folder:
        unnamed = rows.with_columns(session=pl.lit(None, pl.String))
        log = scan(lab_of(Path(folder), unnamed))

        priced_once = log.lazy().collect().lazy()

        found, wanted = count_log(log, tz), count_log(priced_once, tz)

        assert found.log is not None or found.every in ("1m", "5m")
        same(found, wanted)
        assert found.exact.equals(wanted.exact, null_equal=True)


@given(logs(SPANS[1]))
@settings(max_examples=15, deadline=None)
def test_days_begin_and_end_as_those_of_the_rows(rows):
    """And so does the log."""
    with TemporaryDirectory() as folder:
        log = scan(lab_of(Path(folder), rows))

        assert log.day_ends().equals(day_ends(log.lazy(), "UTC").collect())
        assert log.ends() == (rows["started_at"].min(), rows["started_at"].max())

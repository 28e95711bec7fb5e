"""The newest rows of a log: whole days, as many as are few enough."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from cell_logs import lab_of, logs
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis import newest as module
from lectr_lab.analysis.newest import days_of, in_cells, newest
from lectr_lab.analysis.scan import scan
from lectr_lab.log.schema import file_metadata

START = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def made(log_of, event):
    """A log of so many rows each day, an hour apart."""

    def make(*per_day):
        return log_of(
            [
                event(started_at=START + timedelta(days=d, hours=h))
                for d, n in enumerate(per_day)
                for h in range(n)
            ]
        )

    return make


@pytest.mark.parametrize(
    "per_day, most, first, n",
    [
        ((3, 3, 3), 9, START, 9),
        ((3, 3, 3), 8, START + timedelta(days=1), 6),
        ((3, 3, 3), 3, START + timedelta(days=2), 3),
        ((3, 9), 4, START + timedelta(days=1, hours=5), 4),
        ((3, 0, 1), 4, START, 4),
    ],
)
def test_whole_days_from_the_end(made, monkeypatch, per_day, most, first, n):
    """Hours, where the last day alone has more."""
    monkeypatch.setattr(module, "MOST_LOOKED_AT", most)

    found = newest(made(*per_day))

    assert (found.first, found.n, found.is_all) == (first, n, n == sum(per_day))
    assert found.rows.select(pl.len()).collect().item() == n


def test_a_quarter_of_an_hour_is_looked_at_whole(made, monkeypatch):
    """However many rows it has."""
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 0)

    assert newest(made(2, 3)).n == 1


def test_an_empty_log_has_no_newest_row(made):
    """And says no moment."""
    assert newest(made())[1:] == (None, 0, True)


@pytest.mark.parametrize("selected", [{}, {"org": "acme"}, {"task": "extraction"}])
def test_cells_say_what_rows_say_of_days(tmp_path, selected):
    """When each began and ended, and how many rows it has."""
    log = scan(lab_of(tmp_path, 11, rows=400))
    part = log.select(**selected) if selected else log

    cells = in_cells(part)

    assert cells is not None
    assert days_of(part, cells).equals(days_of(part.lazy()))


SELECTED = [{}, {"org": "acme"}, {"task": "extraction"}, {"session": "canary-session"}]


@given(
    rows=logs([START + timedelta(days=day) for day in range(5)]),
    most=st.integers(0, 150),
    selected=st.sampled_from(SELECTED),
    counted=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_the_newest_are_as_all_of_the_log_tells_them(rows, most, selected, counted):
    """With what each row costs; whether days are counted in cells, or files are looked
    into from the end."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_LOOKED_AT", most)
        log = scan(days_in(Path(folder), rows, cells=counted))
        part = log.select(**selected) if selected else log

        found, expected = newest(part), newest(part.lazy())

        assert found[1:] == expected[1:]
        told = [
            one.rows.select(NAMES).sort("event_id").collect()
            for one in (found, expected)
        ]
        assert told[0].equals(told[1], null_equal=True) and told[0].height == found.n


def days_in(folder: Path, rows: pl.DataFrame, *, cells: bool) -> Path:
    """A lab with each day's rows in a file of its own, of which none is counted where no
    folder of cells can be made."""
    for (day,), part in rows.group_by(pl.col("started_at").dt.date()):
        at = folder / "log" / f"date={day}"
        at.mkdir(parents=True)
        part.write_parquet(at / "0.parquet", metadata=file_metadata())
    if not cells:
        (folder / "cells").touch()
    return folder


NAMES = ["event_id", "operation", "input_tokens", "output_tokens", "token_source"]
NAMES += ["provider_response_id", "cost_usd"]

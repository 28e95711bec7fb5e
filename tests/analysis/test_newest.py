"""The newest rows of a log: whole days, as many as are few enough."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from cell_logs import lab_of

from lectr_lab.analysis import newest as module
from lectr_lab.analysis.newest import days_of, in_cells, newest
from lectr_lab.analysis.scan import scan

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

    assert (found.first, found.n) == (first, n)
    assert found.rows.select(pl.len()).collect().item() == n


def test_a_quarter_of_an_hour_is_looked_at_whole(made, monkeypatch):
    """However many rows it has."""
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 0)

    assert newest(made(2, 3)).n == 1


def test_an_empty_log_has_no_newest_row(made):
    """And says no moment."""
    assert newest(made())[1:] == (None, 0)


@pytest.mark.parametrize("selected", [{}, {"org": "acme"}, {"task": "extraction"}])
def test_cells_say_what_rows_say(tmp_path, monkeypatch, selected):
    """The same days, the same newest rows, as the whole log tells them."""
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 60)
    log = scan(lab_of(tmp_path, 11, rows=400))
    part = log.select(**selected) if selected else log

    cells = in_cells(part)

    assert cells is not None
    assert days_of(part, cells).equals(days_of(part.lazy()))
    found, expected = newest(part), newest(part.lazy())
    assert found[1:] == expected[1:]
    names = ["event_id", "operation", "input_tokens", "output_tokens", "token_source"]
    rows, others = (
        one.rows.select(names).sort("event_id").collect() for one in (found, expected)
    )
    assert rows.equals(others)

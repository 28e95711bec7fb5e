"""What is counted of a part, and of a month of them."""

from datetime import UTC, datetime
from random import Random

import polars as pl
from cell_logs import event, logs
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from lectr_lab.analysis.cells.facts import facts, may_be_settled
from lectr_lab.analysis.cells.sets import (
    KINDS,
    OF_MONTHS,
    counted,
    rolled_up,
    scan,
    together,
)
from lectr_lab.log.schema import frame

DAYS = [datetime(2026, 10, day, tzinfo=UTC) for day in (13, 14, 16)]


@settings(max_examples=10, deadline=None)
@given(log=logs(DAYS, most=60))
def test_a_month_is_the_same_however_its_rows_were_cut(log):
    """One part of all, or one of each day."""
    day = pl.col("started_at").dt.date()
    parts = [log.filter(day == one.date()) for one in DAYS]

    def month(some):
        sets = [counted(part.lazy()).files() for part in some]
        kept = together(sets, [])
        found = rolled_up(kept, few=False, steps=True)
        kinds = ("sums", "bins", "rest", "taught", *OF_MONTHS)
        return [getattr(found, kind) for kind in kinds]

    for one, other in zip(month([log]), month(parts), strict=True):
        assert_frame_equal(one, other, check_row_order=False)


def test_files_say_what_was_counted():
    """A file of each kind; those of steps of months alone."""
    rng = Random(2)
    rows = frame([event(rng, DAYS, ["chat"]) for _ in range(30)])

    found = counted(rows.lazy())

    assert [*found.files()] == [*KINDS]
    month = rolled_up(together([found.files()], []), few=False, steps=True)
    assert [*month.files()] == [*KINDS, *OF_MONTHS]
    sums = scan([found.files()["sums"]]).collect()
    assert_frame_equal(sums, found.sums, check_row_order=False)
    assert not found.few


def test_a_part_keeps_the_ids_that_a_fetch_may_name():
    """Read where there is such a row, and of no other."""
    rng = Random(3)
    some = frame([event(rng, DAYS, ["chat"]) for _ in range(60)])
    settled = some.filter(may_be_settled().fill_null(False))
    assert settled.height

    for rows in (some, some.join(settled, on="event_id", how="anti")):
        rest = counted(rows.lazy()).rest

        assert_frame_equal(rest, facts(rows).rest)
        kept = rows.filter(may_be_settled().fill_null(False))["event_id"]
        assert rest["event_id"].drop_nulls().to_list() == kept.to_list()

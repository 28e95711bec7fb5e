"""Cells of facts: what they say of a log is what its rows say."""

from datetime import UTC, datetime, time

import polars as pl
from cell_logs import cut, logs
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.cells.facts import (
    KEYS,
    NAMES,
    ORDER,
    SUMS,
    added,
    added_here,
    as_cells,
    facts,
    rest_schema,
    schema,
    taught,
)
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.data_gaps import streams_without_usage
from lectr_lab.core.pricing.price_changes import change_days
from lectr_lab.log.schema import frame

DAYS = [datetime.combine(day, time(), UTC) for day in change_days(())[-3:]]
BY_DAY = pl.col("started_at").dt.truncate("1d")
PREDICATES = {
    "call": rows.is_call(),
    "own": rows.is_own(),
    "request": rows.is_request(),
    "other request": rows.is_other_request(),
    "succeeded": rows.succeeded(),
    "failed": rows.failed(),
    "other failed": rows.other_failed(),
    "batch": rows.batch_fetched(),
    "left": rows.disconnected(),
    "retried": rows.retried(),
    "untagged": rows.untagged(),
    "answered": rows.answered(),
    "counted": rows.counted(),
    "uncounted": rows.uncounted(),
    "gateway": rows.gateway_cached(),
    "plan": rows.covered_by_plan(),
    "estimated": rows.estimated(),
}


def sorted_cells(cells):
    return cells.select(*KEYS, *SUMS).sort(pl.all(), nulls_last=True)


@settings(max_examples=25)
@given(log=logs(DAYS))
def test_every_question_has_as_many_rows_in_cells(log):
    """What `views/rows.py` asks is true of as many rows, by any of the names."""
    sums, rest, _ = facts(log)
    numbers = [
        pl.col("rows").filter(p).sum().alias(name) for name, p in PREDICATES.items()
    ]
    of_rows = [p.sum().cast(pl.Int64).alias(name) for name, p in PREDICATES.items()]
    names = ["org", "feature", "task", "provider", rows.model(), "operation", "outcome"]

    cells = sums.group_by(names).agg(numbers)
    expected = log.group_by(names).agg(of_rows)
    left = rest.group_by(names).agg(of_rows)

    both = (
        pl.concat([cells, left])
        .group_by(cells.columns[:7])
        .agg(pl.col(PREDICATES).sum())
    )
    assert both.sort(pl.all()).equals(expected.sort(pl.all()))
    failed = ["status", "error_type", "error_source"]
    wrong = log.filter(rows.failed()).group_by(failed).agg(n=pl.len().cast(pl.Int64))
    told = pl.concat(
        [
            sums.filter(rows.failed()).select(*failed, "rows"),
            rest.filter(rows.failed()).select(*failed, rows=pl.lit(1, pl.Int64)),
        ]
    )
    found = told.group_by(failed).agg(n=pl.col("rows").sum())
    assert found.sort(pl.all()).equals(wrong.sort(pl.all()))


@settings(max_examples=25)
@given(log=logs(DAYS), pieces=st.integers(2, 4), dice=st.randoms())
def test_parts_add_up_to_the_whole(log, pieces, dice):
    """Cells of files, however rows lie in them, are the cells of one file."""
    whole = facts(log)
    parts = [facts(part) for part in cut(log, pieces, dice)]

    both = added(pl.concat([part.sums for part in parts]).lazy()).collect()
    rest = pl.concat([part.rest for part in parts])

    assert sorted_cells(both).equals(sorted_cells(whole.sums))
    told = taught(pl.concat([part.taught for part in parts]).lazy()).collect()
    assert rest.sort(pl.all()).equals(whole.rest.sort(pl.all()))
    assert told.sort(pl.all()).equals(whole.taught.sort(pl.all()))


@settings(max_examples=15)
@given(log=logs(DAYS))
def test_a_day_is_the_sum_of_its_quarters(log):
    """Adding up by days first, or last, is the same."""
    sums = facts(log).sums.lazy()

    by_day = added(sums, at=BY_DAY).collect()

    assert by_day["rows"].sum() + facts(log).rest.height == log.height
    assert by_day["started_at"].dt.time().unique().to_list() in ([], [time()])
    assert sorted_cells(added(by_day.lazy(), at=BY_DAY).collect()).equals(
        sorted_cells(by_day)
    )


@settings(max_examples=15)
@given(log=logs(DAYS))
def test_cells_in_memory_are_added_up_alike(log):
    """By their numbers, as by their names; and stand as they are written."""
    sums = facts(log).sums

    for at in (None, BY_DAY):
        found = added_here(sums, at=at)
        assert sorted_cells(found).equals(
            sorted_cells(added(sums.lazy(), at=at).collect())
        )
    first = list(ORDER[:7])
    assert sums.select(first).equals(sums.select(first).sort(first, nulls_last=True))


@settings(max_examples=15)
@given(log=logs(DAYS))
def test_when_it_was_first_and_last_is_known_to_the_microsecond(log):
    """Of any org, feature and day."""
    sums, rest, _ = facts(log)
    ends = [pl.col("first_at").min(), pl.col("last_at").max()]
    at = pl.col("started_at")
    keys = ["org", "feature", at.dt.date().alias("day")]

    cells = sums.group_by(keys).agg(ends)
    left = rest.group_by(keys).agg(first_at=at.min(), last_at=at.max())

    both = pl.concat([cells, left]).group_by("org", "feature", "day").agg(ends)
    expected = log.group_by(keys).agg(first_at=at.min(), last_at=at.max())
    assert both.sort(pl.all()).equals(expected.sort(pl.all()))


@settings(max_examples=15)
@given(log=logs(DAYS))
def test_rows_as_cells_are_the_same_cells(log):
    """What a row is as a cell of its own, added up, is what the file's cells are."""
    sums, rest, _ = facts(log)
    each = as_cells(priced(log.lazy())).select(
        *KEYS, *(pl.col(name).cast(schema()[name]) for name in SUMS)
    )
    left = as_cells(priced(with_all_columns(rest))).select(
        *KEYS, *(pl.col(name).cast(schema()[name]) for name in SUMS)
    )

    found = added(each).collect()

    assert found["rows"].sum() == log.height
    both = added(pl.concat([sums.lazy(), left])).collect()
    assert sorted_cells(both).equals(sorted_cells(found))


def with_all_columns(rest):
    """Rows that stayed rows, as the log has them."""
    return pl.concat([frame([]), rest], how="diagonal").lazy()


@settings(max_examples=15)
@given(log=logs(DAYS))
def test_streams_without_usage_are_as_many(log):
    """What is asked of streams is asked of cells alike."""
    sums, rest, _ = facts(log)
    expected = streams_without_usage(log.lazy()).collect()

    asked = (
        rows.is_request()
        & pl.col("stream")
        & ~pl.col("include_usage").fill_null(False)
        & pl.col("operation").is_in(["chat", "completions"])
        & (pl.col("token_source") != "provider")
        & (pl.col("outcome") == "ok")
    )
    n = sums.filter(asked)["rows"].sum() + rest.filter(asked).height
    assert n == expected["requests"].sum()


def test_nobody_who_asked_is_in_cells(log_of, event):
    """No session, user, agent or trace, and no id but where a fetch may need it."""
    canaries = {name: f"canary-{name}" for name in ("session", "user", "agent")}
    canaries |= {"trace_id": "canary-trace", "provider_request_id": "canary-request"}
    events = [
        event(
            **canaries, event_id=b"canary-event-id!", provider_response_id="canary-r"
        ),
        event(**canaries, event_id=b"canary-event-id!", image_count=2),
    ]

    sums, rest, _ = facts(frame(events))

    assert (sums.height, rest.height) == (1, 1)
    assert "canary" not in repr(sums.rows()) + repr(rest.rows())


def test_columns_are_those_that_are_said():
    """The same, whatever a log has in it."""
    sums, rest, _ = facts(frame([]))

    assert (sums.schema, rest.schema) == (schema(), rest_schema())
    assert {*NAMES} < {*KEYS}
